/* SPDX-License-Identifier: Apache-2.0 */
/* Makes librdkafka's producer as kpublish wants it: idempotent, acks=all, never giving up. */
#ifndef KAFKA_PRODUCER_H
#define KAFKA_PRODUCER_H

#include <librdkafka/rdkafka.h>

#include "log.h"
#include "url.h"

struct kafka_callbacks {
	void (*delivered)(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque);
	void (*error)(rd_kafka_t *rk, int err, const char *reason, void *opaque);
	void *opaque; /* passed to both */
};

/* brokers: KAFKA_BROKERS. The URL's parameters are properties of librdkafka, except those that
 * the promise depends on. batch_bytes: of one batch at most; 0: librdkafka's default. NULL with
 * a message that holds no value of a property, as that may be a password. */
rd_kafka_t *kafka_producer_make(const char *brokers, const struct url *url, size_t batch_bytes,
    const struct kafka_callbacks *callbacks, const struct log *log);

#endif
