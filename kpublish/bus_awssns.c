/* SPDX-License-Identifier: Apache-2.0 */
/* awssns:///ARN, the topic's Amazon Resource Name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws_sender.h"
#include "tool.h"

/* arn:PARTITION:sns:REGION:ACCOUNT:TOPIC. True, and the region, when it is one. */
static bool
is_topic(const char *arn, char region[AWS_REGION_SIZE])
{
	const char *parts[6] = {arn};

	for (size_t n = 1; n < 6; n++) {
		const char *colon = strchr(parts[n - 1], ':');

		if (colon == NULL)
			return false;
		parts[n] = colon + 1;
	}
	if (strncmp(arn, "arn:", 4) != 0 || strncmp(parts[2], "sns:", 4) != 0 ||
	    *parts[5] == '\0' ||
	    parts[5][strspn(parts[5], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-_.")] != '\0')
		return false;
	return snprintf(region, AWS_REGION_SIZE, "%.*s", (int)(parts[4] - parts[3] - 1),
		   parts[3]) < AWS_REGION_SIZE;
}

static void *
sns_open(const struct url *url, const struct bus_owner *owner, int *exit_code)
{
	const char *arn = *url->rest == '/' ? url->rest + 1 : url->rest;
	struct aws_place place = {.service = &aws_sns};
	char region[AWS_REGION_SIZE];

	*exit_code = EXIT_USAGE;
	if (!is_topic(arn, region)) {
		log_error(owner->log, "%s: is wanted as %s", url->shown, bus_awssns.form);
		return NULL;
	}
	if (aws_config_read(&place.config, url, "sns", region, NULL, owner->log) == -1)
		return NULL;
	place.target = arn;
	return aws_sender_open(&place, owner, exit_code);
}

const struct bus bus_awssns = {
    .scheme = "awssns",
    .form = "awssns:///arn:aws:sns:REGION:ACCOUNT:TOPIC",
    .help = "Amazon SNS, with the SDKs' credentials",
    .params = aws_config_params,
    .open = sns_open,
    .send = aws_sender_send,
    .flush = aws_sender_flush,
    .fd = aws_sender_fd,
    .timeout_ms = aws_sender_timeout_ms,
    .work = aws_sender_work,
    .close = aws_sender_close,
};
