/* SPDX-License-Identifier: Apache-2.0 */
/* nats://SUBJECT. With JetStream each message is a request whose answer is the acknowledgement:
 * https://docs.nats.io/reference/reference-protocols/nats_api_reference#publishing-to-streams
 * By core NATS the server's answer to a PING stands for it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "nats_link.h"
#include "nats_wire.h"

enum {
	ACK_MS = 15000,  /* an answer that takes longer has been lost */
	CHECK_MS = 1000, /* how often that is looked for */
	TABLE = 4 * WINDOW_MESSAGES,
};

static const char *const params[] = {"jetstream", NULL};

static const char default_server[] = "nats://127.0.0.1:4222";

/* A message that is out. */
struct flight {
	struct message *m; /* NULL: the place is free */
	int64_t sent_ms;
};

struct nats {
	const struct bus_owner *owner;
	const char *subject;
	enum nats_promise promise;
	struct nats_link *link;
	int mode;            /* NATS_JETSTREAM, NATS_CORE or, without a connection, NATS_LOST */
	uint64_t generation; /* of the connection */
	int64_t max_payload; /* what its server takes */
	bool warned;         /* that core keeps no promise */
	bool unflushed;      /* core: something was sent since the last flush was asked for */
	uint64_t tag; /* the last one given: never one twice, so that no answer is taken for
			 another */
	size_t out;
	struct flight table[TABLE]; /* at tag % TABLE */
	int64_t checked_ms;
};

static void
nats_close(void *bus)
{
	struct nats *b = bus;

	if (b == NULL)
		return;
	nats_link_close(b->link);
	free(b);
}

/* ?jetstream=; false with a message. */
static bool
take_promise(struct nats *b, const struct url *url)
{
	static const char *const values[] = {
	    [NATS_ASK] = "ask", [NATS_YES] = "yes", [NATS_NO] = "no"};
	const char *value = url_param(url, "jetstream");

	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (value == NULL || strcmp(value, values[i]) == 0) {
			b->promise = (enum nats_promise)i;
			return true;
		}
	}
	log_error(
	    b->owner->log, "%s: jetstream=%s: there are ask, yes and no", url->shown, value);
	return false;
}

static void *
nats_open(const struct url *url, const struct bus_owner *owner, int *exit_code)
{
	const char *servers = getenv("NATS_SERVER_URL");
	struct nats *b;

	*exit_code = EXIT_USAGE;
	if (!nats_wire_subject_valid(url->rest)) {
		log_error(owner->log, "%s: \"%s\" is no subject to publish to", url->shown,
		    url->rest);
		return NULL;
	}
	b = calloc(1, sizeof(*b));
	if (b == NULL) {
		*exit_code = EXIT_FAILED;
		log_error(owner->log, "out of memory");
		return NULL;
	}
	b->owner = owner;
	b->subject = url->rest;
	b->mode = NATS_LOST;
	if (take_promise(b, url))
		b->link = nats_link_open(
		    servers != NULL && *servers != '\0' ? servers : default_server, url->rest,
		    b->promise, url->shown, owner->log, exit_code);
	if (b->link == NULL) {
		nats_close(b);
		return NULL;
	}
	return b;
}

/* What the server counts against its limit: the body and the headers as they stand on the wire.
 */
static size_t
size_on_wire(const struct message *m)
{
	size_t n = m->len + strlen("NATS/1.0\r\n\r\n") + strlen("Nats-Msg-Id: \r\n") +
		   m->attributes[0].len;

	for (size_t i = 0; i < m->n_attributes; i++)
		n += strlen(m->attributes[i].name) + m->attributes[i].len + strlen(": \r\n");
	return n;
}

static void
say_too_large(const struct nats *b, struct message *m)
{
	char why[128];

	snprintf(why, sizeof(why),
	    "%zu bytes with headers are over the server's limit of %" PRId64, size_on_wire(m),
	    b->max_payload);
	b->owner->verdict(b->owner->core, m, VERDICT_TOO_LARGE, why);
}

/* A tag whose place is free: there are more places than messages in the window. */
static struct flight *
new_tag(struct nats *b)
{
	do
		b->tag++;
	while (b->table[b->tag % TABLE].m != NULL);
	return &b->table[b->tag % TABLE];
}

static enum bus_send
nats_send(void *bus, struct message *m)
{
	struct nats *b = bus;
	struct flight *flight;

	if (b->mode == NATS_LOST)
		return BUS_LATER;
	if ((int64_t)size_on_wire(m) > b->max_payload) {
		say_too_large(b, m);
		return BUS_TAKEN;
	}
	flight = new_tag(b);
	if (nats_link_send(b->link, b->generation, b->tag, m) == -1)
		return BUS_LATER;
	m->tag = b->tag;
	*flight = (struct flight){m, core_now_ms()};
	b->out++;
	b->unflushed = true;
	return BUS_TAKEN;
}

static void
land(struct nats *b, struct flight *flight, enum verdict verdict, const char *why)
{
	struct message *m = flight->m;

	flight->m = NULL;
	b->out--;
	b->owner->verdict(b->owner->core, m, verdict, why);
}

/* Everything that is out for longer than max_ms, and has a tag of at most that. */
static void
land_all(
    struct nats *b, int64_t max_ms, uint64_t max_tag, enum verdict verdict, const char *why)
{
	int64_t now = core_now_ms();

	for (size_t i = 0; i < TABLE && b->out > 0; i++) {
		struct flight *flight = &b->table[i];

		if (flight->m != NULL && now - flight->sent_ms >= max_ms &&
		    flight->m->tag <= max_tag)
			land(b, flight, verdict, why);
	}
}

static int
nats_flush(void *bus)
{
	struct nats *b = bus;

	/* With JetStream cnats' own thread writes what there is. */
	if (b->mode == NATS_CORE && b->unflushed &&
	    nats_link_flush(b->link, b->generation, b->tag) == 0)
		b->unflushed = false;
	(void)nats_link_hand_over(b->link); /* without memory: the next time */
	return 0;
}

static int
nats_fd(void *bus)
{
	return mailbox_fd(nats_link_mailbox(((struct nats *)bus)->link));
}

static int
nats_timeout_ms(void *bus)
{
	(void)bus;
	return -1;
}

static void
connected(struct nats *b, const struct mail *mail)
{
	b->mode = mail->kind;
	b->generation = mail->tag;
	b->max_payload = mail->number;
	b->owner->connected(b->owner->core, true);
	if (b->mode == NATS_CORE && !b->warned) {
		log_warning(b->owner->log,
		    "nats://%s: %s: publishing by core NATS, which keeps no promise that a "
		    "message arrives",
		    b->subject,
		    b->promise == NATS_NO ? "without JetStream, as told"
					  : "no JetStream stream covers the subject");
		b->warned = true;
	}
}

static void
answered(struct nats *b, const struct mail *mail)
{
	struct flight *flight = &b->table[mail->tag % TABLE];

	/* Else it is about what has been given up: that is out again, with another tag. */
	if (flight->m != NULL && flight->m->tag == mail->tag)
		land(b, flight, mail->verdict, mail->text);
}

static void
read_mail(struct nats *b, const struct mail *mail)
{
	switch (mail->kind) {
	case NATS_ANSWER:
		answered(b, mail);
		break;
	case NATS_FLUSHED:
		land_all(b, 0, mail->tag, VERDICT_ACKED, NULL);
		break;
	case NATS_JETSTREAM:
	case NATS_CORE:
		connected(b, mail);
		break;
	case NATS_LOST:
		b->mode = NATS_LOST;
		b->owner->connected(b->owner->core, false);
		land_all(b, 0, UINT64_MAX, VERDICT_RETRY, "lost the connection");
		break;
	default:
		b->owner->trouble(b->owner->core, "%s", mail->text);
		break;
	}
}

static int
nats_work(void *bus)
{
	struct nats *b = bus;
	int64_t now = core_now_ms();
	const struct mail *mail;
	size_t n = mailbox_take(nats_link_mailbox(b->link), &mail);

	for (size_t i = 0; i < n; i++)
		read_mail(b, &mail[i]);
	if (now - b->checked_ms >= CHECK_MS) {
		b->checked_ms = now;
		land_all(b, ACK_MS, UINT64_MAX, VERDICT_RETRY,
		    "JetStream has not answered for 15 s");
	}
	return 0;
}

const struct bus bus_nats = {
    .scheme = "nats",
    .form = "nats://SUBJECT",
    .help = "NATS_SERVER_URL (default: nats://127.0.0.1:4222)",
    .params = params,
    .open = nats_open,
    .send = nats_send,
    .flush = nats_flush,
    .fd = nats_fd,
    .timeout_ms = nats_timeout_ms,
    .work = nats_work,
    .close = nats_close,
};
