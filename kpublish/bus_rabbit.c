/* SPDX-License-Identifier: Apache-2.0 */
/* rabbit://EXCHANGE. Each message is persistent and mandatory, and done when the broker has
 * confirmed it: https://www.rabbitmq.com/docs/confirms
 *
 * Not `ordered`: a broker may refuse one message (a full queue, no binding) and take those
 * behind it, so a key has one message out at a time. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "core.h"
#include "rabbit_session.h"
#include "rabbit_unconfirmed.h"
#include "tls.h"

enum {
	TAGS = 4 * WINDOW_MESSAGES, /* some are confirmed late */
	BACKOFF_BASE_MS = 200,
	BACKOFF_MAX_MS = 5000,
	EXCHANGE_MAX = 255,
	WHY_MAX = 512,
};

struct rabbit {
	const struct bus_owner *owner;
	const char *exchange;
	struct rabbit_servers servers;
	struct rabbit_hears hears;

	struct rabbit_session *session; /* NULL: waits until connect_ms */
	enum rabbit_state state;
	size_t server;   /* whose turn it is */
	unsigned failed; /* sessions in a row that never were ready */
	int64_t connect_ms;

	struct rabbit_unconfirmed *out;
	/* The bytes that the broker takes in a message, when it has refused one; 0: not known.
	 * It is forgotten with the connection, as it may have been raised. */
	size_t limit;
	char reply[96]; /* to the message that was returned last */
};

static void
rabbit_close(void *bus)
{
	struct rabbit *b = bus;

	if (b == NULL)
		return;
	rabbit_session_close(b->session);
	rabbit_unconfirmed_close(b->out);
	rabbit_url_free(&b->servers);
	free(b);
}

static void give(struct rabbit *b, struct message *m, enum verdict verdict, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

static void
give(struct rabbit *b, struct message *m, enum verdict verdict, const char *fmt, ...)
{
	char why[WHY_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	b->owner->verdict(b->owner->core, m, verdict, why);
}

static void
give_too_large(struct rabbit *b, struct message *m)
{
	give(b, m, VERDICT_TOO_LARGE, "%zu bytes are over the broker's max_message_size of %zu",
	    m->len, b->limit);
}

/* rabbit_hears */
static void
confirmed(void *arg, uint64_t tag, bool multiple, bool taken)
{
	struct rabbit *b = arg;
	struct message *m;
	bool returned;

	while ((m = rabbit_unconfirmed_take(b->out, tag, multiple, &returned)) != NULL) {
		if (returned)
			give(b, m, VERDICT_RETRY,
			    "no queue is bound for the routing key \"%s\": %s", m->key,
			    b->reply);
		else if (!taken)
			give(b, m, VERDICT_RETRY,
			    "a queue has refused a message (it is full, or has failed)");
		else
			b->owner->verdict(b->owner->core, m, VERDICT_ACKED, NULL);
	}
}

/* rabbit_hears */
static bool
returned(void *arg, const void *id, size_t len, const char *reply)
{
	struct rabbit *b = arg;

	snprintf(b->reply, sizeof(b->reply), "%s", reply);
	return rabbit_unconfirmed_return(b->out, id, len);
}

static int
read_url(struct rabbit *b)
{
	const char *list = getenv("RABBIT_SERVER_URL");
	char *why;
	int result;

	if (list == NULL || *list == '\0') {
		log_error(b->owner->log,
		    "rabbit://%s: set RABBIT_SERVER_URL to amqp://USER:PASSWORD@HOST, commas "
		    "between several",
		    b->exchange);
		return -1;
	}
	result = rabbit_url_parse(&b->servers, list, &why);
	if (result == -1)
		log_error(b->owner->log, "RABBIT_SERVER_URL: %s",
		    why != NULL ? why : "out of memory");
	free(why);
	return result;
}

static int
check_servers(const struct rabbit *b)
{
	char why[TLS_WHY];

	for (size_t i = 0; i < b->servers.n; i++) {
		const struct rabbit_server *s = &b->servers.server[i];

		if (s->peer.tls && tls_check(&s->peer, why) == -1) {
			log_error(b->owner->log, "RABBIT_SERVER_URL: %s: %s", s->shown, why);
			return -1;
		}
		if (s->peer.tls && !s->peer.verify)
			log_warning(b->owner->log,
			    "%s: verify_none: whoever answers there is believed", s->shown);
	}
	return 0;
}

static void *
rabbit_open(const struct url *url, const struct bus_owner *owner, int *exit_code)
{
	struct rabbit *b;

	*exit_code = EXIT_USAGE;
	if (*url->rest == '\0' || strlen(url->rest) > EXCHANGE_MAX) {
		log_error(owner->log, "%s: names no exchange", url->shown);
		return NULL;
	}
	b = calloc(1, sizeof(*b));
	if (b != NULL)
		b->out = rabbit_unconfirmed_open(TAGS);
	if (b == NULL || b->out == NULL) {
		*exit_code = EXIT_FAILED;
		log_error(owner->log, "out of memory");
		rabbit_close(b);
		return NULL;
	}
	b->owner = owner;
	b->exchange = url->rest;
	b->hears = (struct rabbit_hears){b, confirmed, returned};
	if (read_url(b) == -1 || check_servers(b) == -1) {
		rabbit_close(b);
		return NULL;
	}
	return b;
}

static enum bus_send
rabbit_send(void *bus, struct message *m)
{
	struct rabbit *b = bus;

	if (b->state != RABBIT_READY ||
	    rabbit_talk_blocked(rabbit_session_talk(b->session)) != NULL ||
	    rabbit_unconfirmed_full(b->out))
		return BUS_LATER;
	if (b->limit > 0 && m->len > b->limit) {
		give_too_large(b, m);
		return BUS_TAKEN;
	}
	if (rabbit_session_publish(b->session, m) == 0) {
		rabbit_unconfirmed_add(b->out, m);
		return BUS_TAKEN;
	}
	if (errno != EMSGSIZE)
		return BUS_LATER;
	give(b, m, VERDICT_REJECTED, "its headers do not fit in a frame of the broker's");
	return BUS_TAKEN;
}

static int
rabbit_flush(void *bus)
{
	struct rabbit *b = bus;

	if (b->state == RABBIT_READY)
		rabbit_session_flush(b->session);
	return 0;
}

static int
rabbit_fd(void *bus)
{
	const struct rabbit *b = bus;

	return b->session != NULL ? rabbit_session_fd(b->session) : -1;
}

static int
rabbit_timeout_ms(void *bus)
{
	const struct rabbit *b = bus;
	int64_t wait;

	if (b->session != NULL)
		return rabbit_session_timeout_ms(b->session);
	wait = b->connect_ms - core_now_ms();
	return wait > 0 ? (int)wait : 0;
}

/* All that is out comes back; those over the limit, if there is one, as that. How many? */
static size_t
drop_all(struct rabbit *b)
{
	size_t too_large = 0;
	struct message *m;

	while ((m = rabbit_unconfirmed_drop(b->out)) != NULL) {
		if (b->limit > 0 && m->len > b->limit) {
			too_large++;
			give_too_large(b, m);
		} else {
			b->owner->verdict(b->owner->core, m, VERDICT_RETRY, NULL);
		}
	}
	return too_large;
}

/* When to connect again: at once to the next of several servers, after a pause when all have
 * been tried. */
static void
plan_next(struct rabbit *b, bool was_ready)
{
	b->connect_ms = core_now_ms();
	b->failed = was_ready ? 1 : b->failed + 1;
	b->server = (b->server + 1) % b->servers.n;
	if (b->failed % b->servers.n == 0)
		b->connect_ms += backoff_ms(
		    (unsigned)(b->failed / b->servers.n), BACKOFF_BASE_MS, BACKOFF_MAX_MS);
}

static void
session_ended(struct rabbit *b)
{
	bool was_ready = b->state == RABBIT_READY;

	b->owner->connected(b->owner->core, false);
	b->limit = rabbit_talk_limit(rabbit_session_talk(b->session));
	if (drop_all(b) > 0) { /* that was it, and it is said of each of them */
		b->connect_ms = core_now_ms();
	} else {
		b->limit = 0;
		b->owner->trouble(
		    b->owner->core, "%s", rabbit_talk_why(rabbit_session_talk(b->session)));
		plan_next(b, was_ready);
	}
	rabbit_session_close(b->session);
	b->session = NULL;
	b->state = RABBIT_ENDED;
}

static void
begin_session(struct rabbit *b)
{
	b->session = rabbit_session_open(&b->servers.server[b->server], b->exchange, &b->hears);
	b->state = RABBIT_OPENING;
	if (b->session == NULL) {
		b->owner->trouble(b->owner->core, "%s: %s", b->servers.server[b->server].shown,
		    strerror(errno));
		plan_next(b, false);
	}
}

static void
tell_blocked(struct rabbit *b)
{
	const char *why = rabbit_talk_blocked(rabbit_session_talk(b->session));

	if (why != NULL)
		b->owner->trouble(b->owner->core, "%s: the broker has blocked publishers: %s",
		    b->servers.server[b->server].shown, why);
}

static int
rabbit_work(void *bus)
{
	struct rabbit *b = bus;
	enum rabbit_state before = b->state;

	if (b->session == NULL && core_now_ms() >= b->connect_ms)
		begin_session(b);
	if (b->session == NULL)
		return 0;
	b->state = rabbit_session_work(b->session);
	if (b->state == RABBIT_READY && before != RABBIT_READY)
		b->owner->connected(b->owner->core, true);
	if (b->state == RABBIT_ENDED) {
		b->state = before;
		session_ended(b);
	} else if (b->state == RABBIT_READY) {
		tell_blocked(b);
	}
	return 0;
}

const struct bus bus_rabbit = {
    .scheme = "rabbit",
    .form = "rabbit://EXCHANGE",
    .help = "RABBIT_SERVER_URL=amqp[s]://USER:PW@HOST/VHOST",
    .params = url_no_params,
    .open = rabbit_open,
    .send = rabbit_send,
    .flush = rabbit_flush,
    .fd = rabbit_fd,
    .timeout_ms = rabbit_timeout_ms,
    .work = rabbit_work,
    .close = rabbit_close,
};
