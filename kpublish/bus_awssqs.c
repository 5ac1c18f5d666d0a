/* SPDX-License-Identifier: Apache-2.0 */
/* awssqs://HOST/ACCOUNT/QUEUE: the queue's URL, with another scheme. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws_sender.h"
#include "text.h"
#include "tool.h"

/* HOST/…/QUEUE of what can stand in a URL: it is put into JSON as it is. */
static bool
is_queue(const char *rest)
{
	const char *slash = strchr(rest, '/');
	const char *last = strrchr(rest, '/');

	if (slash == NULL || slash == rest || last[1] == '\0')
		return false;
	for (; *rest != '\0'; rest++)
		if (*rest <= ' ' || *rest > '~' || strchr("\"\\%?#@", *rest) != NULL)
			return false;
	return true;
}

static void *
sqs_open(const struct url *url, const struct bus_owner *owner, int *exit_code)
{
	struct aws_place place = {.service = &aws_sqs};
	char region[AWS_REGION_SIZE];
	char *host;
	int result;

	*exit_code = EXIT_USAGE;
	if (!is_queue(url->rest)) {
		log_error(owner->log, "%s: is wanted as %s", url->shown, bus_awssqs.form);
		return NULL;
	}
	host = strndup(url->rest, strcspn(url->rest, "/"));
	place.memory = text_printf("https://%s", url->rest);
	if (host == NULL || place.memory == NULL) {
		log_error(owner->log, "out of memory");
		*exit_code = EXIT_FAILED;
		free(host);
		free(place.memory);
		return NULL;
	}
	place.target = place.memory;
	aws_config_region_of_host(region, host);
	result = aws_config_read(&place.config, url, "sqs", region, host, owner->log);
	free(host);
	if (result == -1) {
		free(place.memory);
		return NULL;
	}
	return aws_sender_open(&place, owner, exit_code);
}

const struct bus bus_awssqs = {
    .scheme = "awssqs",
    .form = "awssqs://HOST/ACCOUNT/QUEUE",
    .help = "Amazon SQS, with the SDKs' credentials",
    .params = aws_config_params,
    .open = sqs_open,
    .send = aws_sender_send,
    .flush = aws_sender_flush,
    .fd = aws_sender_fd,
    .timeout_ms = aws_sender_timeout_ms,
    .work = aws_sender_work,
    .close = aws_sender_close,
};
