/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_limit.h"

#include <stdlib.h>
#include <string.h>

enum {
	ANSWER_MS = 5000,
	TRIES = 3,
};

static void
put_question(struct kafka_limit *l, rd_kafka_t *rk, const char *topic)
{
	rd_kafka_ConfigResource_t *resource =
	    rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
	rd_kafka_AdminOptions_t *options =
	    rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);

	rd_kafka_AdminOptions_set_request_timeout(options, ANSWER_MS, NULL, 0);
	rd_kafka_DescribeConfigs(rk, &resource, 1, options, l->answers);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_ConfigResource_destroy(resource);
	l->tries++;
}

void
kafka_limit_ask(struct kafka_limit *l, rd_kafka_t *rk, const char *topic, int fd)
{
	static const uint64_t one = 1;

	*l = (struct kafka_limit){.answers = rd_kafka_queue_new(rk)};
	rd_kafka_queue_io_event_enable(l->answers, fd, &one, sizeof(one));
	put_question(l, rk, topic);
}

/* 0: it is not told. */
static size_t
told(const rd_kafka_ConfigResource_t *resource)
{
	size_t n;
	const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &n);

	for (size_t i = 0; i < n; i++) {
		const char *value = rd_kafka_ConfigEntry_value(entries[i]);

		if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), "max.message.bytes") == 0 &&
		    value != NULL)
			return (size_t)strtoul(value, NULL, 10);
	}
	return 0;
}

static size_t
limit_in(rd_kafka_event_t *answer)
{
	const rd_kafka_DescribeConfigs_result_t *result =
	    rd_kafka_event_DescribeConfigs_result(answer);
	const rd_kafka_ConfigResource_t **resources;
	size_t n = 0;

	if (result == NULL)
		return 0;
	resources = rd_kafka_DescribeConfigs_result_resources(result, &n);
	return n == 1 ? told(resources[0]) : 0;
}

enum kafka_limit_answer
kafka_limit_look(struct kafka_limit *l, rd_kafka_t *rk, const char *topic, size_t *bytes)
{
	rd_kafka_event_t *answer = rd_kafka_queue_poll(l->answers, 0);
	enum kafka_limit_answer result = KAFKA_LIMIT_UNKNOWN;

	if (answer == NULL)
		return KAFKA_LIMIT_NONE_YET;
	switch (rd_kafka_event_error(answer)) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		*bytes = limit_in(answer);
		if (*bytes > 0)
			result = KAFKA_LIMIT_KNOWN;
		break;
	case RD_KAFKA_RESP_ERR__TIMED_OUT:
	case RD_KAFKA_RESP_ERR__TRANSPORT:
		if (l->tries < TRIES) {
			put_question(l, rk, topic);
			result = KAFKA_LIMIT_NONE_YET;
		}
		break;
	default:
		break;
	}
	rd_kafka_event_destroy(answer);
	return result;
}

void
kafka_limit_close(struct kafka_limit *l)
{
	if (l->answers != NULL)
		rd_kafka_queue_destroy(l->answers);
	*l = (struct kafka_limit){.answers = NULL};
}
