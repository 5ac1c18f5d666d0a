/* SPDX-License-Identifier: Apache-2.0 */
/* librdkafka's producer, and a message put into its form. */
#ifndef KAFKA_PRODUCER_H
#define KAFKA_PRODUCER_H

#include <librdkafka/rdkafka.h>

#include "log.h"
#include "message.h"

struct kafka_callbacks {
	void (*delivered)(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque);
	void (*error)(rd_kafka_t *rk, int err, const char *reason, void *opaque);
	/* From a thread of librdkafka's: rd_kafka_conf_set_ssl_cert_verify_cb. */
	int (*certificate)(rd_kafka_t *rk, const char *broker, int32_t id, int *x509_error,
	    int depth, const char *der, size_t len, char *why, size_t why_size, void *opaque);
	void *opaque; /* passed to all */
};

struct kafka_producer {
	rd_kafka_t *rk; /* NULL: there is none */
	rd_kafka_topic_t *topic;
	rd_kafka_queue_t *events;
};

/* What a producer is made with; all borrowed. */
struct kafka_settings {
	const rd_kafka_conf_t *conf; /* its properties */
	const char *topic;
	struct kafka_callbacks callbacks;
	int fd;            /* an eventfd that becomes readable when rd_kafka_poll has work */
	const char *shown; /* the bus's URL, for messages */
	const struct log *log;
};

/* batch_bytes: of one batch at most. 0, or -1 with a message. */
int kafka_producer_open(
    struct kafka_producer *p, const struct kafka_settings *settings, size_t batch_bytes);
/* Throws it away, with what it has not delivered; there may be none. It may still call back. */
void kafka_producer_close(struct kafka_producer *p);

/* Gives it a message, which is borrowed until the report on it; that has m as its _private. */
rd_kafka_resp_err_t kafka_producer_send(struct kafka_producer *p, struct message *m);

#endif
