/* SPDX-License-Identifier: Apache-2.0 */
/* azuresb://TOPIC: a topic or queue of Azure Service Bus, by AMQP 1.0. A message has arrived when
 * the server has accepted its transfer: Service Bus has it on disk then.
 *
 * One link keeps the order of what is sent on it, but not through a refusal: the server may refuse
 * one transfer (when it is busy) and accept the next. So the bus is not `ordered`, and at most one
 * message of a key is out at a time. */
#include <errno.h>
#include <inttypes.h>
#include <proton/disposition.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "azuresb_config.h"
#include "azuresb_link.h"
#include "azuresb_message.h"
#include "azuresb_outcome.h"
#include "backoff.h"
#include "core.h"

enum {
	CONNECT_BASE_MS = 200,
	CONNECT_MAX_MS = 10000,
	BUSY_BASE_MS = 500, /* Microsoft asks for ten seconds when the server is busy */
	BUSY_MAX_MS = 10000,
	DRY_MS = 10000, /* a server that gives no credit for so long is worth a word */
	TOKEN_S = 3600,
	TOKEN_MAX_S = 365 * 24 * TOKEN_S,
	ENTITY_MAX = 260,
	HEAD_MAX = 64 * 1024,
};

/* A message's tag while it is out. If the server closes the link because of a message's size, then
 * the largest of those that are out is too large, whichever it was that the server looked at. */
enum { NOT_TO_BLAME, TO_BLAME };

struct azuresb {
	const struct bus_owner *owner;
	struct azuresb_config config;
	const char *entity;
	int token_s;
	struct azuresb_link *link; /* NULL: until due_ms */
	bool up;
	bool plain;        /* the next connection logs in so: the server knows no other way */
	unsigned attempts; /* to connect, since a message was accepted */
	int64_t due_ms;
	unsigned busy;         /* refusals by a busy server, since it accepted something */
	int64_t busy_until_ms; /* nothing is sent before */
	int64_t dry_since_ms;  /* 0: there is credit */
	pn_message_t *scratch;
	struct buf head;
};

static void
azuresb_close(void *bus)
{
	struct azuresb *b = bus;

	if (b == NULL)
		return;
	azuresb_link_close(b->link);
	if (b->scratch != NULL)
		pn_message_free(b->scratch);
	buf_free(&b->head);
	azuresb_config_free(&b->config);
	free(b);
}

/* The URL's name, and that of the connection string if it has one. */
static const char *
check_entity(const struct azuresb *b, const struct url *url)
{
	const char *name = url->rest;
	size_t len = strlen(name);

	if (len == 0)
		return "names no topic or queue";
	if (len > ENTITY_MAX || *name == '/' || name[len - 1] == '/')
		return "a topic or queue has 1 to 260 characters, and no / first or last";
	/* Service Bus does not mind the case. */
	if (b->config.entity != NULL && strcasecmp(b->config.entity, name) != 0)
		return "SERVICEBUS_CONNECTION_STRING is for another one: its EntityPath "
		       "differs";
	return NULL;
}

static const char *
take_params(struct azuresb *b, const struct url *url)
{
	const char *text = url_param(url, "token-lifetime");
	char *end;
	long n;

	b->token_s = TOKEN_S;
	if (text == NULL)
		return NULL;
	n = strtol(text, &end, 10);
	if (*text == '\0' || *end != '\0' || n < 4 || n > TOKEN_MAX_S)
		return "token-lifetime is wanted as a number of seconds, from 4 on";
	b->token_s = (int)n;
	return NULL;
}

/* 0 or the exit code, with a message. */
static int
configure(struct azuresb *b, const struct url *url)
{
	const char *text = getenv("SERVICEBUS_CONNECTION_STRING");
	const char *why;

	if (text == NULL || *text == '\0') {
		log_error(b->owner->log,
		    "%s: set SERVICEBUS_CONNECTION_STRING to the connection string of the "
		    "namespace",
		    url->shown);
		return EXIT_USAGE;
	}
	if (azuresb_config_parse(&b->config, text, &why) == -1) {
		log_error(b->owner->log, "SERVICEBUS_CONNECTION_STRING: %s", why);
		return EXIT_USAGE;
	}
	why = check_entity(b, url);
	if (why == NULL)
		why = take_params(b, url);
	if (why != NULL) {
		log_error(b->owner->log, "%s: %s", url->shown, why);
		return EXIT_USAGE;
	}
	b->entity = url->rest;
	return 0;
}

static void *
azuresb_open(const struct url *url, const struct bus_owner *owner, int *exit_code)
{
	struct azuresb *b = calloc(1, sizeof(*b));

	*exit_code = EXIT_FAILED;
	if (b == NULL) {
		log_error(owner->log, "out of memory");
		return NULL;
	}
	b->owner = owner;
	buf_init(&b->head, HEAD_MAX);
	b->scratch = pn_message();
	if (b->scratch == NULL)
		log_error(owner->log, "out of memory");
	else
		*exit_code = configure(b, url);
	if (b->scratch == NULL || *exit_code != 0) {
		azuresb_close(b);
		return NULL;
	}
	return b;
}

/* The connection has ended, and the message has no answer. */
static void
retry(void *arg, struct message *m)
{
	struct azuresb *b = arg;

	b->owner->verdict(b->owner->core, m, VERDICT_RETRY, NULL);
}

static void
lose_one(void *arg, struct message *m)
{
	struct azuresb *b = arg;

	if (m->tag == TO_BLAME)
		b->owner->verdict(
		    b->owner->core, m, VERDICT_TOO_LARGE, azuresb_link_why(b->link));
	else
		retry(b, m);
}

static void
lose(struct azuresb *b)
{
	enum azuresb_link_end end = azuresb_link_end(b->link);
	struct message *largest = azuresb_link_largest(b->link);
	bool quiet = (end == AZURESB_END_SIZE && largest != NULL) ||
		     (end == AZURESB_END_IDLE && largest == NULL);

	b->up = false;
	b->due_ms = core_now_ms();
	/* Another server may be there the next time: it is asked anew. */
	b->plain = end == AZURESB_END_NO_ANONYMOUS && b->config.key != NULL;
	if (!b->plain)
		b->due_ms += backoff_ms(++b->attempts, CONNECT_BASE_MS, CONNECT_MAX_MS);
	if (!b->plain && !quiet)
		b->owner->trouble(b->owner->core, "%s", azuresb_link_why(b->link));
	if (end == AZURESB_END_SIZE && largest != NULL)
		largest->tag = TO_BLAME;
	azuresb_link_take_back(b->link, lose_one, b);
	azuresb_link_close(b->link);
	b->link = NULL;
	b->dry_since_ms = 0;
	b->owner->connected(b->owner->core, false);
}

/* Keeps off a server that has too much to do. What it refuses meanwhile was sent before. */
static void
back_off(struct azuresb *b)
{
	int64_t now = core_now_ms();

	if (now >= b->busy_until_ms)
		b->busy_until_ms = now + backoff_ms(++b->busy, BUSY_BASE_MS, BUSY_MAX_MS);
}

static void
answered(void *arg, struct message *m, uint64_t state, const char *condition,
    const char *description)
{
	struct azuresb *b = arg;
	struct azuresb_outcome outcome = azuresb_outcome_of(state, condition);
	char why[512];

	if (outcome.verdict == VERDICT_ACKED) {
		b->attempts = b->busy = 0;
		b->owner->verdict(b->owner->core, m, VERDICT_ACKED, NULL);
		return;
	}
	if (state != PN_REJECTED)
		snprintf(why, sizeof(why), "%s has given a message back", b->config.peer.host);
	else
		snprintf(why, sizeof(why), "%s has refused a message: %s%s%s",
		    b->config.peer.host, condition != NULL ? condition : "no reason given",
		    description != NULL ? ": " : "", description != NULL ? description : "");
	if (outcome.busy)
		back_off(b);
	b->owner->verdict(b->owner->core, m, outcome.verdict, why);
	if (outcome.leave)
		azuresb_link_leave(b->link, why);
}

static void
connect_again(struct azuresb *b)
{
	const struct azuresb_link_options options = {
	    .config = &b->config,
	    .entity = b->entity,
	    .plain = b->plain,
	    .token_s = b->token_s,
	    .answered = answered,
	    .arg = b,
	};

	b->link = azuresb_link_open(&options);
	if (b->link != NULL)
		return;
	b->owner->trouble(b->owner->core, "cannot connect: %s", strerror(errno));
	b->due_ms = core_now_ms() + CONNECT_MAX_MS;
}

/* A full entity, or a server that throttles, may give no credit: then there is nothing to be done
 * but to say so. */
static void
check_credit(struct azuresb *b)
{
	if (b->dry_since_ms == 0 || core_now_ms() - b->dry_since_ms < DRY_MS)
		return;
	b->owner->trouble(b->owner->core, "%s takes no messages for \"%s\": it gives no credit",
	    b->config.peer.host, b->entity);
}

static int
azuresb_work(void *bus)
{
	struct azuresb *b = bus;

	if (b->link == NULL && core_now_ms() >= b->due_ms)
		connect_again(b);
	if (b->link == NULL)
		return 0;
	switch (azuresb_link_work(b->link)) {
	case AZURESB_LINK_UP:
		if (!b->up)
			b->owner->connected(b->owner->core, true);
		b->up = true;
		check_credit(b);
		break;
	case AZURESB_LINK_DOWN:
		lose(b);
		break;
	default:
		break;
	}
	return 0;
}

/* Room for a message on the link; what the socket takes makes some. */
static bool
has_room(struct azuresb *b)
{
	if (!azuresb_link_has_room(b->link))
		azuresb_link_flush(b->link);
	if (azuresb_link_has_room(b->link)) {
		b->dry_since_ms = 0;
		return true;
	}
	if (!azuresb_link_is_dry(b->link))
		b->dry_since_ms = 0;
	else if (b->dry_since_ms == 0)
		b->dry_since_ms = core_now_ms();
	return false;
}

static void
reject_too_large(const struct azuresb *b, struct message *m, uint64_t limit)
{
	char why[128];

	snprintf(why, sizeof(why),
	    "%zu bytes with properties are over the server's limit of %" PRIu64,
	    b->head.len + m->len, limit);
	b->owner->verdict(b->owner->core, m, VERDICT_TOO_LARGE, why);
}

static enum bus_send
azuresb_send(void *bus, struct message *m)
{
	struct azuresb *b = bus;
	uint64_t limit;

	if (!b->up || core_now_ms() < b->busy_until_ms || !has_room(b))
		return BUS_LATER;
	if (azuresb_message_head(b->scratch, m, &b->head) == -1) {
		b->owner->trouble(
		    b->owner->core, "cannot encode a message: %s", strerror(errno));
		return BUS_LATER;
	}
	limit = azuresb_link_max_size(b->link);
	if (limit > 0 && b->head.len + m->len > limit) {
		reject_too_large(b, m, limit);
		return BUS_TAKEN;
	}
	m->tag = NOT_TO_BLAME;
	if (azuresb_link_send(b->link, b->head.data, b->head.len, m) == -1) {
		b->owner->trouble(b->owner->core, "cannot send: %s", strerror(errno));
		return BUS_LATER;
	}
	return BUS_TAKEN;
}

static int
azuresb_flush(void *bus)
{
	struct azuresb *b = bus;

	if (b->up)
		azuresb_link_flush(b->link);
	return 0;
}

static int
azuresb_fd(void *bus)
{
	struct azuresb *b = bus;

	return b->link != NULL ? azuresb_link_fd(b->link) : -1;
}

/* Milliseconds until a time of the core's clock. */
static int
ms_until(int64_t time_ms)
{
	int64_t now = core_now_ms();

	return time_ms > now ? (int)(time_ms - now) : 0;
}

static int
azuresb_timeout_ms(void *bus)
{
	struct azuresb *b = bus;

	if (b->link == NULL)
		return ms_until(b->due_ms);
	/* Once it is over it is no reason to be called any more. */
	return ms_until(b->busy_until_ms) > 0 ? ms_until(b->busy_until_ms) : -1;
}

static const char *const params[] = {"token-lifetime", NULL};

const struct bus bus_azuresb = {
    .scheme = "azuresb",
    .form = "azuresb://TOPIC",
    .help = "Azure Service Bus: SERVICEBUS_CONNECTION_STRING",
    .params = params,
    .open = azuresb_open,
    .send = azuresb_send,
    .flush = azuresb_flush,
    .fd = azuresb_fd,
    .timeout_ms = azuresb_timeout_ms,
    .work = azuresb_work,
    .close = azuresb_close,
};
