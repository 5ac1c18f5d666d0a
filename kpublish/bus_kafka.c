/* SPDX-License-Identifier: Apache-2.0 */
/* kafka://TOPIC by librdkafka's idempotent producer, which keeps the order of a partition
 * through its own retries. Where it cannot (a fatal error: the broker has forgotten the
 * producer, a message in the middle was refused), it is thrown away and another sends what is
 * left, from the oldest on. Source:
 * https://github.com/confluentinc/librdkafka/blob/v2.0.2/INTRODUCTION.md#idempotent-producer */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core.h"
#include "kafka_producer.h"

enum {
	LAST_MS = 100,           /* one wait for the last reports of a producer */
	LAST_TRIES = 10,         /* so many of them for acknowledgements that may still come */
	LOOK_MS = 5000,          /* how often an idle producer is asked for its connection */
	METADATA_MS = 200,       /* and how long it may take */
	BATCH_DEFAULT = 1000000, /* librdkafka's batch.size */
	BATCH_MIN = 1000,
};

struct kafka {
	const struct bus_owner *owner;
	const struct url *url;
	const char *brokers;
	rd_kafka_t *rk;
	rd_kafka_topic_t *topic;
	rd_kafka_queue_t *events;
	int fd;                  /* readable when there are events */
	size_t batch_bytes;      /* 0: the default */
	size_t next_batch_bytes; /* for the next producer */
	struct message
	    *out[WINDOW_MESSAGES]; /* given to the producer; a message's tag is its place */
	size_t n_out;
	bool renew;   /* the producer is of no use any more */
	bool closing; /* nobody wants a verdict any more */
	bool connected;
	char broker_error[256]; /* the last one of a single broker */
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

/* The broker refused the batch that the message was in. A message as large as a batch was alone
 * in it; else the batch was too large, and smaller ones may pass. */
static enum verdict
too_large(struct kafka *b, const struct message *m)
{
	size_t batch = b->batch_bytes > 0 ? b->batch_bytes : BATCH_DEFAULT;

	if (m->len + m->key_len >= batch || batch <= BATCH_MIN)
		return VERDICT_TOO_LARGE;
	b->next_batch_bytes = batch / 8;
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
	if (b->closing)
		return;
	take_back(b, m);
	switch (report->err) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		verdict = VERDICT_ACKED;
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
	case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
		b->owner->verdict(b->owner->core, m, verdict, NULL);
		return;
	default:
		break;
	}
	b->owner->verdict(b->owner->core, m, verdict, rd_kafka_err2str(report->err));
}

/* From rd_kafka_poll. That one broker has gone is no news while others are there; that it does
 * not let us in is. */
static void
on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
	struct kafka *b = opaque;

	if (b->closing)
		return;
	switch (err) {
	case RD_KAFKA_RESP_ERR__TRANSPORT:
	case RD_KAFKA_RESP_ERR__RESOLVE:
	case RD_KAFKA_RESP_ERR__TIMED_OUT:
		snprintf(b->broker_error, sizeof(b->broker_error), "%s", reason);
		return;
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

/* A new producer in place of none. -1 with a message. */
static int
make(struct kafka *b)
{
	static const uint64_t one = 1;
	const struct kafka_callbacks callbacks = {on_delivered, on_error, b};

	b->rk =
	    kafka_producer_make(b->brokers, b->url, b->batch_bytes, &callbacks, b->owner->log);
	if (b->rk == NULL)
		return -1;
	b->topic = rd_kafka_topic_new(b->rk, b->url->rest, NULL);
	if (b->topic == NULL) {
		log_error(b->owner->log, "%s: %s", b->url->shown,
		    rd_kafka_err2str(rd_kafka_last_error()));
		return -1;
	}
	b->events = rd_kafka_queue_get_main(b->rk);
	rd_kafka_queue_io_event_enable(b->events, b->fd, &one, sizeof(one));
	return 0;
}

/* Away with the producer; all that is out gets its verdict. */
static void
unmake(struct kafka *b)
{
	if (b->rk == NULL)
		return;
	rd_kafka_purge(b->rk, RD_KAFKA_PURGE_F_QUEUE);
	/* What is at the broker may be acknowledged yet: fewer are sent twice. */
	for (int i = 0; i < LAST_TRIES && b->n_out > 0 && !b->closing; i++)
		rd_kafka_poll(b->rk, LAST_MS);
	rd_kafka_purge(b->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	rd_kafka_poll(b->rk, LAST_MS);
	if (b->events != NULL)
		rd_kafka_queue_destroy(b->events);
	if (b->topic != NULL)
		rd_kafka_topic_destroy(b->topic);
	rd_kafka_destroy(b->rk);
	b->events = NULL;
	b->topic = NULL;
	b->rk = NULL;
	/* After a fatal error librdkafka 2.0.2 does not report on every message that it purges.
	 */
	while (b->n_out > 0 && !b->closing) {
		struct message *m = b->out[b->n_out - 1];

		take_back(b, m);
		b->owner->verdict(b->owner->core, m, VERDICT_RETRY, NULL);
	}
}

static void
kafka_close(void *bus)
{
	struct kafka *b = bus;

	if (b == NULL)
		return;
	b->closing = true;
	unmake(b);
	if (b->fd != -1)
		close(b->fd);
	free(b);
}

static void *
kafka_open(const struct url *url, const struct bus_owner *owner, int *exit_code)
{
	const char *brokers = getenv("KAFKA_BROKERS");
	struct kafka *b;

	*exit_code = EXIT_USAGE;
	if (brokers == NULL || *brokers == '\0') {
		log_error(owner->log,
		    "%s: set KAFKA_BROKERS to HOST:PORT, commas between several", url->shown);
		return NULL;
	}
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
	b->brokers = brokers;
	b->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (b->fd == -1 || make(b) == -1) {
		kafka_close(b);
		return NULL;
	}
	return b;
}

/* Attributes, and the key once more: a gocloud consumer opened by URL does not see the
 * record's. */
static rd_kafka_headers_t *
make_headers(const struct message *m)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(m->n_attributes + 1);

	rd_kafka_header_add(headers, "key", -1, m->key, (ssize_t)m->key_len);
	for (size_t i = 0; i < m->n_attributes; i++)
		rd_kafka_header_add(headers, m->attributes[i].name, -1, m->attributes[i].value,
		    (ssize_t)m->attributes[i].len);
	return headers;
}

/* Gives the message to the producer, which takes the headers unless it fails. */
static rd_kafka_resp_err_t
produce(const struct kafka *b, struct message *m, rd_kafka_headers_t *headers)
{
	rd_kafka_vu_t arguments[] = {
	    {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = b->topic},
	    {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem.size = m->key_len},
	    {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem.size = m->len},
	    {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
	    {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = m},
	};
	rd_kafka_error_t *error;
	rd_kafka_resp_err_t code;

	/* Const casts: without flags for it, neither is copied or changed. */
	memcpy(&arguments[1].u.mem.ptr, &m->key, sizeof(m->key));
	memcpy(&arguments[2].u.mem.ptr, &m->body, sizeof(m->body));
	error = rd_kafka_produceva(b->rk, arguments, sizeof(arguments) / sizeof(arguments[0]));
	if (error == NULL)
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	code = rd_kafka_error_code(error);
	rd_kafka_error_destroy(error);
	return code;
}

static enum bus_send
kafka_send(void *bus, struct message *m)
{
	struct kafka *b = bus;
	rd_kafka_headers_t *headers;
	rd_kafka_resp_err_t err;

	if (b->renew)
		return BUS_LATER;
	headers = make_headers(m);
	err = produce(b, m, headers);
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
		put_out(b, m);
		return BUS_TAKEN;
	}
	rd_kafka_headers_destroy(headers);
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
	return ((struct kafka *)bus)->fd;
}

static int
kafka_timeout_ms(void *bus)
{
	return ((struct kafka *)bus)->renew ? 0 : -1;
}

/* While there is nothing to send librdkafka does not say that it is connected: ask. */
static void
look(struct kafka *b)
{
	const struct rd_kafka_metadata *metadata;
	int64_t now = core_now_ms();

	if (b->connected || b->n_out > 0 || now - b->looked_ms < LOOK_MS)
		return;
	b->looked_ms = now;
	if (rd_kafka_metadata(b->rk, 0, b->topic, &metadata, METADATA_MS) ==
	    RD_KAFKA_RESP_ERR_NO_ERROR) {
		rd_kafka_metadata_destroy(metadata);
		set_connected(b, true);
	}
}

static int
kafka_work(void *bus)
{
	struct kafka *b = bus;
	uint64_t events;

	(void)!read(b->fd, &events, sizeof(events));
	rd_kafka_poll(b->rk, 0);
	if (b->renew) {
		unmake(b);
		b->renew = false;
		b->batch_bytes = b->next_batch_bytes;
		if (make(b) == -1)
			return -1;
	}
	look(b);
	return 0;
}

const struct bus bus_kafka = {
    .scheme = "kafka",
    .form = "kafka://TOPIC",
    .ordered = true,
    .open = kafka_open,
    .send = kafka_send,
    .flush = kafka_flush,
    .fd = kafka_fd,
    .timeout_ms = kafka_timeout_ms,
    .work = kafka_work,
    .close = kafka_close,
};
