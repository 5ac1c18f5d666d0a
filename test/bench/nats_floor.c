/* SPDX-License-Identifier: Apache-2.0 */
/* The floor for nats://: cnats's own asynchronous publishing to JetStream in a loop, with message ids
 * that make a resend harmless, and nothing around it.
 *
 *	nats_floor URL SUBJECT < LINES
 *
 * A line is a key, a tab, and the body. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nats/nats.h>

#include "attributes.h"

enum { PENDING = 8192, WAIT_MS = 120000 };

static void
check(natsStatus status, const char *what)
{
	if (status == NATS_OK)
		return;
	fprintf(stderr, "nats_floor: %s: %s\n", what, natsStatus_GetText(status));
	exit(1);
}

static void
failed(jsCtx *js, jsPubAckErr *error, void *closure)
{
	(void)js;
	(void)closure;
	check(error->Err, error->ErrText);
}

static size_t
publish_lines(jsCtx *js, const char *subject)
{
	char *line = NULL, id[40];
	const char *body;
	size_t room = 0, n = 0;
	ssize_t len;
	natsMsg *m;
	jsPubOptions options;

	jsPubOptions_Init(&options);
	options.MsgId = id;
	while ((len = getline(&line, &room, stdin)) > 0) {
		body = strchr(line, '\t');
		if (body++ == NULL)
			check(NATS_INVALID_ARG, "a line has no tab");
		snprintf(id, sizeof(id), "%036zu", ++n); /* as long as a UUID */
		check(natsMsg_Create(&m, subject, NULL, body, (int)(line + len - 1 - body)),
		    "message");
		for (int i = 0; i < ATTRIBUTES; i++)
			check(natsMsgHeader_Set(m, attributes[i].name, attributes[i].value),
			    "header");
		check(js_PublishMsgAsync(js, &m, &options), "publish"); /* takes m */
	}
	free(line);
	return n;
}

int
main(int argc, char **argv)
{
	natsConnection *connection;
	jsCtx *js;
	jsOptions options;
	jsPubOptions wait;

	if (argc != 3)
		check(NATS_INVALID_ARG, "usage: nats_floor URL SUBJECT");
	check(natsConnection_ConnectTo(&connection, argv[1]), argv[1]);
	jsOptions_Init(&options);
	options.PublishAsync.MaxPending = PENDING;
	options.PublishAsync.StallWait = WAIT_MS;
	options.PublishAsync.ErrHandler = failed;
	check(natsConnection_JetStream(&js, connection, &options), "JetStream");
	if (publish_lines(js, argv[2]) == 0)
		check(NATS_INVALID_ARG, "no lines");
	jsPubOptions_Init(&wait);
	wait.MaxWait = WAIT_MS;
	check(js_PublishAsyncComplete(js, &wait), "acknowledgements");
	jsCtx_Destroy(js);
	natsConnection_Destroy(connection);
	nats_Close();
	return 0;
}
