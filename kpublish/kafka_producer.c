/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_producer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Source: https://github.com/confluentinc/librdkafka/blob/v2.0.2/CONFIGURATION.md */
static const struct {
	const char *name;
	const char *value;
} fixed[] = {
    {"acks", "all"},
    {"enable.idempotence", "true"},
    /* A message that fails for good makes the producer fail, rather than those behind it pass.
     */
    {"enable.gapless.guarantee", "true"},
    {"message.timeout.ms", "0"}, /* never */
    /* The window is the limit, not librdkafka's queue. */
    {"queue.buffering.max.messages", "0"},
    {"queue.buffering.max.kbytes", "2097151"},
    /* Left to the broker, which knows: what it refuses comes back. */
    {"message.max.bytes", "104857600"},
};

/* Ours too, but a parameter may set them. */
static const struct {
	const char *name;
	const char *value;
} defaults[] = {
    {"client.id", "kpublish"},
    {"partitioner", "murmur2_random"}, /* as Java's: a key goes where other producers put it */
    {"linger.ms", "5"},
    {"socket.keepalive.enable", "true"},
    {"reconnect.backoff.max.ms", "5000"},
};

/* 0, or -1 with a message. */
static int
set(rd_kafka_conf_t *conf, const char *name, const char *value, const struct log *log)
{
	char why[512];

	switch (rd_kafka_conf_set(conf, name, value, why, sizeof(why))) {
	case RD_KAFKA_CONF_OK:
		return 0;
	case RD_KAFKA_CONF_UNKNOWN:
		log_error(log, "kafka: librdkafka %s has no property \"%s\"",
		    rd_kafka_version_str(), name);
		return -1;
	default: /* why may quote the value */
		log_error(log, "kafka: the value of \"%s\" is not one that it can have", name);
		return -1;
	}
}

static int
set_params(rd_kafka_conf_t *conf, const struct url *url, const struct log *log)
{
	for (size_t i = 0; i < url->n_params; i++) {
		const char *name = url->params[i].name;

		for (size_t k = 0; k < sizeof(fixed) / sizeof(fixed[0]); k++) {
			if (strcmp(name, fixed[k].name) == 0) {
				log_error(log,
				    "kafka: \"%s\" cannot be set: kpublish sets it to \"%s\" "
				    "so "
				    "that nothing is lost",
				    name, fixed[k].value);
				return -1;
			}
		}
		if (set(conf, name, url->params[i].value, log) == -1)
			return -1;
	}
	return 0;
}

static int
set_all(rd_kafka_conf_t *conf, const char *brokers, const struct url *url, size_t batch_bytes,
    const struct log *log)
{
	char batch[24];

	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (set(conf, defaults[i].name, defaults[i].value, log) == -1)
			return -1;
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (set(conf, fixed[i].name, fixed[i].value, log) == -1)
			return -1;
	if (set(conf, "bootstrap.servers", brokers, log) == -1 ||
	    set_params(conf, url, log) == -1)
		return -1;
	if (batch_bytes == 0)
		return 0;
	snprintf(batch, sizeof(batch), "%zu", batch_bytes);
	return set(conf, "batch.size", batch, log);
}

/* librdkafka tells of each broker and each try; what matters comes by the error callback. */
static void
no_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	(void)rk;
	(void)level;
	(void)facility;
	(void)text;
}

rd_kafka_t *
kafka_producer_make(const char *brokers, const struct url *url, size_t batch_bytes,
    const struct kafka_callbacks *callbacks, const struct log *log)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *rk;
	char why[512];

	rd_kafka_conf_set_dr_msg_cb(conf, callbacks->delivered);
	rd_kafka_conf_set_error_cb(conf, callbacks->error);
	rd_kafka_conf_set_log_cb(conf, no_log);
	rd_kafka_conf_set_opaque(conf, callbacks->opaque);
	if (set_all(conf, brokers, url, batch_bytes, log) == -1) {
		rd_kafka_conf_destroy(conf);
		return NULL;
	}
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why)); /* takes conf */
	if (rk == NULL) {
		log_error(log, "kafka: %s", why);
		rd_kafka_conf_destroy(conf);
	}
	return rk;
}
