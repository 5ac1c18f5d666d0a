/* SPDX-License-Identifier: Apache-2.0 */
/* kafka://TOPIC by librdkafka's idempotent producer, which keeps the order of a partition
 * through its own retries. Where it cannot (a fatal error: the broker has forgotten the
 * producer, a message in the middle was refused), it is thrown away and another sends what is
 * left, from the oldest on. Source:
 * https://github.com/confluentinc/librdkafka/blob/v2.0.2/INTRODUCTION.md#idempotent-producer */
#include <librdkafka/rdkafka.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core.h"
#include "kafka_config.h"
#include "kafka_limit.h"
#include "kafka_producer.h"

enum {
	/* A producer of no use any more may still tell what the broker has accepted: it is kept
	 * until it has been silent for so long, or for so long in all. */
	SILENT_MS = 100,
	LAST_MS = 1000,
	LOOK_MS = 2000,    /* how often a silent producer is asked for its topic */
	METADATA_MS = 200, /* and how long it may take */
	BATCH_MIN = 1000,
	SMALL = 16384, /* bytes; no broker's limit is below that */
	AROUND = 1024, /* bytes of a batch of one message beside what size_of counts */
};

struct kafka {
	const struct bus_owner *owner;
	const struct url *url;
	rd_kafka_conf_t *conf;
	struct kafka_settings settings;
	struct kafka_producer producer;
	struct kafka_limit limit; /* nothing is sent until it is known, or cannot be */
	size_t batch_bytes;       /* of one batch at most */
	size_t next_batch_bytes;  /* for the next producer */
	struct message
	    *out[WINDOW_MESSAGES]; /* given to the producer; a message's tag is its place */
	size_t n_out;
	size_t proven;       /* the broker takes, or has taken, a message as large as that */
	bool renew;          /* the producer is of no use any more */
	bool waiting;        /* for what it may still tell */
	int64_t waiting_ms;  /* since then */
	int64_t reported_ms; /* the last report on a message */
	bool deaf;           /* nothing that it tells counts any more */
	bool connected;
	char broker_error[512]; /* the last one of a single broker */
	atomic_int certificate; /* what is wrong with the last one that is not good */
	int64_t looked_ms;
};

static void
set_connected(struct kafka *b, bool yes)
{
	b->connected = yes;
	b->owner->connected(b->owner->core, yes);
}

static void
put_out(struct kafka *b, struct message *m)
{
	m->tag = b->n_out;
	b->out[b->n_out++] = m;
}

/* The last one takes its place. */
static void
take_back(struct kafka *b, const struct message *m)
{
	struct message *last = b->out[--b->n_out];

	b->out[m->tag] = last;
	last->tag = m->tag;
}

static size_t
size_of(const struct message *m)
{
	size_t n = m->key_len + m->len;

	for (size_t i = 0; i < m->n_attributes; i++)
		n += m->attributes[i].len;
	return n;
}

/* May the broker refuse it for its size? Those behind it must not be out then: a broker that has none of this
 * producer's messages in a partition yet takes any for the first, and so one of the same key. */
static bool
is_doubtful(const struct kafka *b, const struct message *m)
{
	return size_of(m) > b->proven;
}

/* One that is doubtful is out alone. */
static bool
may_go(const struct kafka *b, const struct message *m)
{
	return b->n_out == 0 || (!is_doubtful(b, m) && !is_doubtful(b, b->out[0]));
}

/* The broker refused the batch that the message was in. A message as large as a batch was alone
 * in it; else the batch was too large, and smaller ones may pass. */
static enum verdict
too_large(struct kafka *b, const struct message *m)
{
	if (m->len + m->key_len >= b->batch_bytes || b->batch_bytes <= BATCH_MIN)
		return VERDICT_TOO_LARGE;
	b->next_batch_bytes = b->batch_bytes / 8;
	b->renew = true;
	return VERDICT_RETRY;
}

/* From rd_kafka_poll, so in the one thread there is. */
static void
on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *report, void *opaque)
{
	struct kafka *b = opaque;
	struct message *m = report->_private;
	enum verdict verdict = VERDICT_RETRY;

	(void)rk;
	if (b->deaf)
		return;
	b->reported_ms = core_now_ms();
	take_back(b, m);
	switch (report->err) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		verdict = VERDICT_ACKED;
		if (is_doubtful(b, m))
			b->proven = size_of(m);
		if (!b->connected)
			set_connected(b, true);
		break;
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
		verdict = too_large(b, m);
		break;
	case RD_KAFKA_RESP_ERR_INVALID_RECORD: /* a compacted topic wants a key: ours has one */
		verdict = VERDICT_REJECTED;
		break;
	case RD_KAFKA_RESP_ERR__PURGE_QUEUE: /* by us, as the producer is renewed */
		b->owner->verdict(b->owner->core, m, verdict, NULL);
		return;
	default:
		break;
	}
	b->owner->verdict(b->owner->core, m, verdict, rd_kafka_err2str(report->err));
}

/* In a thread of librdkafka's, which itself says of no certificate why it is not good. The
 * result: is it? */
static int
on_certificate(rd_kafka_t *rk, const char *broker, int32_t id, int *x509_error, int depth,
    const char *der, size_t len, char *why, size_t why_size, void *opaque)
{
	struct kafka *b = opaque;

	(void)rk, (void)broker, (void)id, (void)depth, (void)der, (void)len;
	(void)why, (void)why_size;
	if (*x509_error == X509_V_OK)
		return 1;
	atomic_store(&b->certificate, *x509_error);
	return 0;
}

/* Is it said of the last certificate that is not good? */
static bool
is_about_certificate(struct kafka *b, const char *reason)
{
	return atomic_load(&b->certificate) != X509_V_OK &&
	       strstr(reason, "certificate verify failed") != NULL;
}

/* Keeps what is wrong with a broker, and why its certificate is not good where it is that. */
static const char *
broker_error(struct kafka *b, const char *reason)
{
	if (is_about_certificate(b, reason))
		snprintf(b->broker_error, sizeof(b->broker_error), "%s: %s",
		    X509_verify_cert_error_string(atomic_load(&b->certificate)), reason);
	else
		snprintf(b->broker_error, sizeof(b->broker_error), "%s", reason);
	return b->broker_error;
}

/* From rd_kafka_poll. That one broker has gone is no news while others are there; that it is not
 * who it should be, or does not let us in, is. */
static void
on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
	struct kafka *b = opaque;

	if (b->deaf)
		return;
	/* A handshake that is over at once librdkafka takes for a failure to connect. */
	if (err == RD_KAFKA_RESP_ERR__TRANSPORT && is_about_certificate(b, reason))
		err = RD_KAFKA_RESP_ERR__SSL;
	switch (err) {
	case RD_KAFKA_RESP_ERR__TRANSPORT:
	case RD_KAFKA_RESP_ERR__RESOLVE:
	case RD_KAFKA_RESP_ERR__TIMED_OUT:
		broker_error(b, reason);
		return;
	case RD_KAFKA_RESP_ERR__SSL:
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
		reason = broker_error(b, reason);
		break;
	case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
		set_connected(b, false);
		b->owner->trouble(b->owner->core, "no broker can be reached: %s",
		    b->broker_error[0] != '\0' ? b->broker_error : reason);
		return;
	case RD_KAFKA_RESP_ERR__FATAL:
		b->renew = true;
		if (rd_kafka_fatal_error(rk, NULL, 0) == RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE)
			return; /* the message that was refused tells why */
		break;
	default:
		break;
	}
	b->owner->trouble(
	    b->owner->core, "%s: %s", rd_kafka_err2str((rd_kafka_resp_err_t)err), reason);
}

static void
kafka_close(void *bus)
{
	struct kafka *b = bus;

	if (b == NULL)
		return;
	b->deaf = true;
	kafka_limit_close(&b->limit);
	kafka_producer_close(&b->producer);
	if (b->conf != NULL)
		rd_kafka_conf_destroy(b->conf);
	if (b->settings.fd != -1)
		close(b->settings.fd);
	free(b);
}

static size_t
batch_size(const rd_kafka_conf_t *conf)
{
	char text[24] = "";
	size_t len = sizeof(text);

	rd_kafka_conf_get(conf, "batch.size", text, &len);
	return (size_t)strtoul(text, NULL, 10);
}

static void
ask_limit(struct kafka *b)
{
	kafka_limit_ask(&b->limit, b->producer.rk, b->settings.topic, b->settings.fd);
}

static void *
kafka_open(const struct url *url, const struct bus_owner *owner, int *exit_code)
{
	struct kafka *b;

	*exit_code = EXIT_USAGE;
	if (*url->rest == '\0') {
		log_error(owner->log, "%s: names no topic", url->shown);
		return NULL;
	}
	b = calloc(1, sizeof(*b));
	if (b == NULL) {
		log_error(owner->log, "out of memory");
		*exit_code = EXIT_FAILED;
		return NULL;
	}
	b->owner = owner;
	b->url = url;
	b->proven = SMALL;
	b->conf = kafka_config_make(url, owner->log);
	b->settings = (struct kafka_settings){
	    .conf = b->conf,
	    .topic = url->rest,
	    .callbacks = {on_delivered, on_error, on_certificate, b},
	    .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	    .shown = url->shown,
	    .log = owner->log,
	};
	if (b->conf != NULL)
		b->batch_bytes = b->next_batch_bytes = batch_size(b->conf);
	if (b->settings.fd == -1 || b->conf == NULL ||
	    kafka_producer_open(&b->producer, &b->settings, b->batch_bytes) == -1) {
		kafka_close(b);
		return NULL;
	}
	ask_limit(b);
	return b;
}

static enum bus_send
kafka_send(void *bus, struct message *m)
{
	struct kafka *b = bus;
	rd_kafka_resp_err_t err;

	if (b->renew || b->limit.answers != NULL || !may_go(b, m))
		return BUS_LATER;
	err = kafka_producer_send(&b->producer, m);
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
		put_out(b, m);
		return BUS_TAKEN;
	}
	if (err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
		b->owner->verdict(b->owner->core, m, VERDICT_TOO_LARGE, rd_kafka_err2str(err));
		return BUS_TAKEN;
	}
	if (err == RD_KAFKA_RESP_ERR__FATAL)
		b->renew = true;
	else if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL)
		b->owner->trouble(b->owner->core, "%s", rd_kafka_err2str(err));
	return BUS_LATER;
}

static int
kafka_flush(void *bus)
{
	(void)bus; /* linger.ms sees to it */
	return 0;
}

static int
kafka_fd(void *bus)
{
	return ((struct kafka *)bus)->settings.fd;
}

/* How much longer a producer of no use is waited for. */
static int
patience_ms(const struct kafka *b)
{
	int64_t now = core_now_ms();
	int64_t end = b->waiting_ms + LAST_MS;
	int64_t silent =
	    (b->reported_ms > b->waiting_ms ? b->reported_ms : b->waiting_ms) + SILENT_MS;

	if (!b->waiting || b->n_out == 0)
		return 0;
	if (silent < end)
		end = silent;
	return end > now ? (int)(end - now) : 0;
}

static int
kafka_timeout_ms(void *bus)
{
	const struct kafka *b = bus;

	return b->renew ? patience_ms(b) : -1;
}

/* A topic whose limit is below our batches gets a producer with smaller ones, before anything is sent. */
static void
look_at_limit(struct kafka *b)
{
	size_t bytes;

	switch (kafka_limit_look(&b->limit, b->producer.rk, b->settings.topic, &bytes)) {
	case KAFKA_LIMIT_NONE_YET:
		return;
	case KAFKA_LIMIT_KNOWN:
		if (bytes > SMALL + AROUND)
			b->proven = bytes - AROUND;
		if (bytes < b->batch_bytes) {
			b->next_batch_bytes = bytes;
			b->renew = true;
		}
		set_connected(b, true); /* and the topic is there: look need not ask */
		b->looked_ms = core_now_ms();
		break;
	case KAFKA_LIMIT_UNKNOWN:
		break;
	}
	kafka_limit_close(&b->limit);
}

/* Another producer in place of one that is of no use, when that has told what it could. What is
 * still out then is sent again. */
static int
renew(struct kafka *b)
{
	bool asked = b->limit.answers != NULL;

	if (!b->waiting) {
		b->waiting = true;
		b->waiting_ms = core_now_ms();
		rd_kafka_purge(b->producer.rk, RD_KAFKA_PURGE_F_QUEUE);
		rd_kafka_poll(b->producer.rk, 0);
	}
	if (patience_ms(b) > 0)
		return 0;
	b->deaf = true;
	kafka_limit_close(&b->limit);
	kafka_producer_close(&b->producer);
	b->deaf = false;
	while (b->n_out > 0) {
		struct message *m = b->out[b->n_out - 1];

		take_back(b, m);
		b->owner->verdict(b->owner->core, m, VERDICT_RETRY, NULL);
	}
	b->renew = b->waiting = false;
	b->batch_bytes = b->next_batch_bytes;
	if (kafka_producer_open(&b->producer, &b->settings, b->batch_bytes) == -1)
		return -1;
	if (asked)
		ask_limit(b);
	return 0;
}

/* While there is nothing to send librdkafka does not say that it is connected, and that there is
 * no such topic it says after half a minute: ask. */
static void
look(struct kafka *b)
{
	const struct rd_kafka_metadata *metadata;
	int64_t now = core_now_ms();
	rd_kafka_resp_err_t err;

	if ((b->connected && b->n_out == 0) || now - b->reported_ms < LOOK_MS ||
	    now - b->looked_ms < LOOK_MS)
		return;
	b->looked_ms = now;
	if (rd_kafka_metadata(b->producer.rk, 0, b->producer.topic, &metadata, METADATA_MS) !=
	    RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	err = metadata->topic_cnt > 0 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_NO_ERROR;
	rd_kafka_metadata_destroy(metadata);
	set_connected(b, true);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		b->owner->trouble(b->owner->core, "%s", rd_kafka_err2str(err));
}

static int
kafka_work(void *bus)
{
	struct kafka *b = bus;
	uint64_t events;

	(void)!read(b->settings.fd, &events, sizeof(events));
	rd_kafka_poll(b->producer.rk, 0);
	if (b->limit.answers != NULL)
		look_at_limit(b);
	if (b->renew)
		return renew(b);
	look(b);
	return 0;
}

const struct bus bus_kafka = {
    .scheme = "kafka",
    .form = "kafka://TOPIC",
    .help = "KAFKA_BROKERS=HOST:PORT,...; properties of\n"
	    "librdkafka by ?NAME=VALUE&... or in KAFKA_CONFIG",
    .ordered = true,
    .open = kafka_open,
    .send = kafka_send,
    .flush = kafka_flush,
    .fd = kafka_fd,
    .timeout_ms = kafka_timeout_ms,
    .work = kafka_work,
    .close = kafka_close,
};
