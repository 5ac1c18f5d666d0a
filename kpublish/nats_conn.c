/* SPDX-License-Identifier: Apache-2.0 */
#include "nats_conn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nats_link.h"
#include "nats_wire.h"

enum {
	CONNECT_MS = 5000,
	WRITE_MS = 5000,
	PING_MS =
	    10000, /* a connection that is silently dead is noticed after three of these */
	PINGS_OUT = 2,
	IO_BUFFER = 128 * 1024,
	SERVERS_MAX = 32,
	SUBJECT_SIZE = 256,
};

/* In a thread of cnats: the answer to a message. */
static void
on_answer(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
	const struct nats_conn *c = closure;
	const char *token = strrchr(natsMsg_GetSubject(msg), '.');
	struct mail mail = {.kind = NATS_ANSWER, .verdict = VERDICT_RETRY};

	(void)nc;
	(void)sub;
	if (token != NULL)
		mail.tag = strtoull(token + 1, NULL, 16);
	if (natsMsg_IsNoResponders(msg))
		snprintf(mail.text, sizeof(mail.text), "no stream takes the subject now");
	else
		mail.verdict = nats_wire_ack(natsMsg_GetData(msg),
		    (size_t)natsMsg_GetDataLength(msg), mail.text, sizeof(mail.text));
	mailbox_put(c->box, &mail);
	natsMsg_Destroy(msg);
}

/* In a thread of cnats: an error of the connection, such as a missing permission. */
static void
on_error(natsConnection *nc, natsSubscription *sub, natsStatus status, void *closure)
{
	const struct nats_conn *c = closure;
	struct mail mail = {.kind = NATS_TROUBLE};
	const char *text = NULL;

	(void)sub;
	natsConnection_GetLastError(nc, &text);
	snprintf(mail.text, sizeof(mail.text), "%s",
	    text != NULL && *text != '\0' ? text : natsStatus_GetText(status));
	mailbox_put(c->box, &mail);
}

/* In a thread of cnats. */
static void
on_closed(natsConnection *nc, void *closure)
{
	const struct nats_conn *c = closure;

	(void)nc;
	c->closed(c->closed_arg);
}

static natsStatus
set_servers(natsOptions *options, char *servers)
{
	const char *list[SERVERS_MAX];
	int n = 0;
	char *save = NULL;

	for (char *p = strtok_r(servers, ", ", &save); p != NULL && n < SERVERS_MAX;
	     p = strtok_r(NULL, ", ", &save)) {
		if (strncmp(p, "tls://", 6) == 0)
			natsOptions_SetSecure(options, true);
		list[n++] = p;
	}
	return n > 0 ? natsOptions_SetServers(options, list, n) : NATS_ADDRESS_MISSING;
}

natsStatus
nats_conn_init(struct nats_conn *c, char *servers)
{
	natsStatus s = natsOptions_Create(&c->options);

	if (s != NATS_OK)
		return s;
	natsOptions_SetName(c->options, "kpublish");
	natsOptions_SetAllowReconnect(c->options, false);
	natsOptions_SetTimeout(c->options, CONNECT_MS);
	natsOptions_SetWriteDeadline(c->options, WRITE_MS);
	natsOptions_SetPingInterval(c->options, PING_MS);
	natsOptions_SetMaxPingsOut(c->options, PINGS_OUT);
	natsOptions_SetIOBufSize(c->options, IO_BUFFER);
	natsOptions_SetErrorHandler(c->options, on_error, c);
	natsOptions_SetClosedCB(c->options, on_closed, c);
	s = set_servers(c->options, servers);
	return s == NATS_OK ? natsInbox_Create(&c->inbox) : s;
}

void
nats_conn_free(struct nats_conn *c)
{
	nats_conn_drop(c);
	natsOptions_Destroy(c->options);
	natsInbox_Destroy(c->inbox);
}

natsStatus
nats_conn_connect(struct nats_conn *c)
{
	natsStatus s = natsConnection_Connect(&c->nc, c->options);
	char wildcard[SUBJECT_SIZE];

	if (s != NATS_OK)
		return s;
	snprintf(wildcard, sizeof(wildcard), "%s.*", c->inbox);
	s = natsConnection_Subscribe(&c->answers, c->nc, wildcard, on_answer, c);
	if (s != NATS_OK)
		nats_conn_drop(c);
	return s;
}

void
nats_conn_drop(struct nats_conn *c)
{
	natsSubscription_Destroy(c->answers);
	natsConnection_Destroy(c->nc);
	c->answers = NULL;
	c->nc = NULL;
}

/* The message as cnats has it, headers included. */
static natsStatus
make_msg(natsMsg **msg, const char *subject, const char *reply, const struct message *m)
{
	natsStatus s = natsMsg_Create(msg, subject, reply, (const char *)m->body, (int)m->len);

	/* The first attribute is the id: there is no Envelope without. */
	if (s == NATS_OK)
		s = natsMsgHeader_Set(*msg, "Nats-Msg-Id", m->attributes[0].value);
	for (size_t i = 0; i < m->n_attributes && s == NATS_OK; i++)
		s = natsMsgHeader_Set(*msg, m->attributes[i].name, m->attributes[i].value);
	return s;
}

natsStatus
nats_conn_publish(
    struct nats_conn *c, const char *subject, const struct message *m, uint64_t tag)
{
	char reply[SUBJECT_SIZE];
	natsMsg *msg = NULL;
	natsStatus s;

	snprintf(reply, sizeof(reply), "%s.%" PRIx64, c->inbox, tag);
	s = make_msg(&msg, subject, tag != 0 ? reply : NULL, m);
	if (s == NATS_OK)
		s = natsConnection_PublishMsg(c->nc, msg);
	natsMsg_Destroy(msg);
	return s;
}
