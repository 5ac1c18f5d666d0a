/* SPDX-License-Identifier: Apache-2.0 */
/* The topic's own limit of a batch, max.message.bytes, by DescribeConfigs (KIP-133). A batch
 * above it is refused as a whole; and where the broker knows nothing of a producer yet, it takes
 * the next batch that is small enough for its first, which then is ahead of those refused. */
#ifndef KAFKA_LIMIT_H
#define KAFKA_LIMIT_H

#include <librdkafka/rdkafka.h>
#include <stddef.h>

struct kafka_limit {
	rd_kafka_queue_t *answers; /* NULL: nothing is asked */
	unsigned tries;
};

enum kafka_limit_answer {
	KAFKA_LIMIT_NONE_YET,
	KAFKA_LIMIT_KNOWN,
	KAFKA_LIMIT_UNKNOWN, /* not allowed to ask, no such topic, or no answer to several questions */
};

/* Asks; fd is an eventfd that becomes readable when there is an answer. rk is borrowed until
 * kafka_limit_close. */
void kafka_limit_ask(struct kafka_limit *l, rd_kafka_t *rk, const char *topic, int fd);
/* Has it been answered? bytes is set when it is known. Asks again when no answer came in time. */
enum kafka_limit_answer kafka_limit_look(
    struct kafka_limit *l, rd_kafka_t *rk, const char *topic, size_t *bytes);
void kafka_limit_close(struct kafka_limit *l);

#endif
