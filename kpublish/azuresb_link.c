/* SPDX-License-Identifier: Apache-2.0 */
#include "azuresb_link.h"

#include <errno.h>
#include <inttypes.h>
#include <proton/connection.h>
#include <proton/delivery.h>
#include <proton/link.h>
#include <proton/sasl.h>
#include <proton/transport.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "azuresb_cbs.h"
#include "azuresb_outcome.h"
#include "azuresb_pipe.h"
#include "core.h"

enum {
	BRING_UP_MS = 20000, /* from the look-up to the attached link */
	ANSWER_MS = 30000, /* a server that does nothing about a message for so long is gone */
	IDLE_MS = 60000, /* nor one that sends nothing at all; proton asks it for half of it */
	MAX_FRAME = 65536,
	UNWRITTEN_MAX = 256 * 1024, /* bytes of messages that wait for the socket */
};

struct azuresb_link {
	struct azuresb_link_options o;
	enum azuresb_link_state state;
	enum azuresb_link_end end;
	struct azuresb_pipe *pipe;
	pn_session_t *session;   /* NULL until the server has opened the connection */
	struct azuresb_cbs *cbs; /* NULL with PLAIN */
	pn_link_t *sender;       /* NULL until we may attach */
	const char *doing;       /* for people, while it is brought up */
	int64_t began_ms;
	int64_t progress_ms; /* when the server answered, or the socket took message bytes */
	size_t unwritten;    /* message bytes that waited for the socket at the last look */
	uint64_t sent;       /* for delivery tags */
	char why[768];
};

static void end_link(struct azuresb_link *l, enum azuresb_link_end end, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The first reason is the one. */
static void
end_link(struct azuresb_link *l, enum azuresb_link_end end, const char *fmt, ...)
{
	va_list ap;

	if (l->state == AZURESB_LINK_DOWN)
		return;
	va_start(ap, fmt);
	vsnprintf(l->why, sizeof(l->why), fmt, ap);
	va_end(ap);
	l->state = AZURESB_LINK_DOWN;
	l->end = end;
	azuresb_pipe_stop(l->pipe);
}

/* Names of our own are new each time: a server takes a link from the connection that has it
 * when another comes by the same name. */
static void
name_connection(pn_connection_t *connection)
{
	uint64_t number = 0;
	char name[40];

	(void)!getrandom(&number, sizeof(number), GRND_NONBLOCK);
	snprintf(name, sizeof(name), "kpublish-%016" PRIx64, number);
	pn_connection_set_container(connection, name);
}

/* The stream is ready: AMQP begins on it. */
static void
begin(struct azuresb_link *l, pn_connection_t *connection, pn_transport_t *transport)
{
	const struct azuresb_config *c = l->o.config;
	pn_sasl_t *sasl = pn_sasl(transport);

	l->doing = "logging in";
	name_connection(connection);
	pn_connection_set_hostname(connection, c->peer.host);
	pn_transport_set_max_frame(transport, MAX_FRAME);
	pn_transport_set_idle_timeout(transport, IDLE_MS);
	pn_sasl_allowed_mechs(sasl, l->o.plain ? "PLAIN" : "ANONYMOUS");
	/* proton does not know that the stream is encrypted; the emulator's is not. */
	pn_sasl_set_allow_insecure_mechs(sasl, true);
	if (l->o.plain) {
		pn_connection_set_user(connection, c->key_name);
		pn_connection_set_password(connection, c->key);
	}
	pn_connection_open(connection);
}

/* We are in: the link to the entity. */
static void
attach(struct azuresb_link *l)
{
	l->doing = "attaching to the entity";
	l->sender = pn_sender(
	    l->session, pn_connection_get_container(azuresb_pipe_connection(l->pipe)));
	pn_terminus_set_address(pn_link_target(l->sender), l->o.entity);
	pn_terminus_set_address(pn_link_source(l->sender), "kpublish");
	pn_link_set_snd_settle_mode(l->sender, PN_SND_UNSETTLED);
	pn_link_set_rcv_settle_mode(l->sender, PN_RCV_FIRST);
	pn_link_open(l->sender);
}

static void
look_at_cbs(struct azuresb_link *l)
{
	switch (azuresb_cbs_state(l->cbs)) {
	case AZURESB_CBS_GRANTED:
		if (l->sender == NULL)
			attach(l);
		break;
	case AZURESB_CBS_REFUSED:
		end_link(l, AZURESB_END_ERROR, "%s: %s", l->o.config->peer.host,
		    azuresb_cbs_why(l->cbs));
		break;
	default:
		break;
	}
}

static void
opened(struct azuresb_link *l, pn_connection_t *connection)
{
	l->session = pn_session(connection);
	pn_session_open(l->session);
	if (l->o.plain) {
		attach(l);
		return;
	}
	l->doing = "putting the token";
	l->cbs = azuresb_cbs_open(l->session, l->o.config, l->o.entity, l->o.token_s);
	if (l->cbs == NULL)
		end_link(l, AZURESB_END_ERROR, "%s", strerror(errno));
}

/* The server has closed `what`. */
static void
closed(struct azuresb_link *l, const char *what, pn_condition_t *condition)
{
	const char *name = pn_condition_get_name(condition);
	const char *description = pn_condition_get_description(condition);
	enum azuresb_link_end end = AZURESB_END_ERROR;

	if (azuresb_outcome_is_size(name))
		end = AZURESB_END_SIZE;
	else if (azuresb_outcome_is_idle(name, description))
		end = AZURESB_END_IDLE;
	end_link(l, end, "%s has closed the %s \"%s\": %s%s%s", l->o.config->peer.host, what,
	    l->o.entity, name != NULL ? name : "no reason given",
	    description != NULL ? ": " : "", description != NULL ? description : "");
}

/* proton has given up on the connection; that it was refused at the door has a reason of its
 * own. */
static void
transport_failed(struct azuresb_link *l, pn_condition_t *condition)
{
	static const char silent[] = "local-idle-timeout expired";
	pn_sasl_t *sasl = pn_sasl(azuresb_pipe_transport(l->pipe));
	const struct azuresb_config *c = l->o.config;
	const char *name = pn_condition_get_name(condition);

	if (pn_sasl_get_mech(sasl) == NULL && !l->o.plain &&
	    strcmp(name, "amqp:unauthorized-access") == 0)
		end_link(l, AZURESB_END_NO_ANONYMOUS,
		    "%s: offers no way to log in but by a key", c->peer.host);
	else if (l->session == NULL && pn_sasl_outcome(sasl) != PN_SASL_OK &&
		 pn_sasl_outcome(sasl) != PN_SASL_NONE)
		end_link(l, AZURESB_END_ERROR, "%s refuses the login of \"%s\" (SASL %s)",
		    c->peer.host, l->o.plain ? c->key_name : "anonymous",
		    l->o.plain ? "PLAIN" : "ANONYMOUS");
	else if (strcmp(pn_condition_get_description(condition), silent) == 0)
		end_link(l, AZURESB_END_ERROR, "%s:%u has sent nothing for %d s", c->peer.host,
		    c->peer.port, IDLE_MS / 1000);
	else
		end_link(l, AZURESB_END_ERROR, "%s: %s: %s", c->peer.host, name,
		    pn_condition_get_description(condition));
}

static void
attached(struct azuresb_link *l)
{
	/* A server that refuses says so by an attach without a target, and a detach with the
	 * reason behind it. */
	if (l->state != AZURESB_LINK_WAIT ||
	    pn_terminus_get_type(pn_link_remote_target(l->sender)) == PN_UNSPECIFIED)
		return;
	l->state = AZURESB_LINK_UP;
	l->progress_ms = core_now_ms();
}

static void
take_delivery(struct azuresb_link *l, pn_delivery_t *delivery)
{
	pn_disposition_t *remote = pn_delivery_remote(delivery);
	uint64_t state = pn_delivery_remote_state(delivery);
	pn_condition_t *condition = pn_disposition_condition(remote);
	struct message *m = pn_delivery_get_context(delivery);

	if (state != PN_ACCEPTED && state != PN_REJECTED && state != PN_RELEASED &&
	    state != PN_MODIFIED) {
		if (!pn_delivery_settled(delivery))
			return;
		state = PN_RELEASED; /* forgotten without a word */
	}
	l->progress_ms = core_now_ms();
	l->o.answered(l->o.arg, m, state, pn_condition_get_name(condition),
	    pn_condition_get_description(condition));
	pn_delivery_settle(delivery);
}

/* An event of the link to the entity. */
static void
sender_event(struct azuresb_link *l, pn_event_t *event)
{
	switch (pn_event_type(event)) {
	case PN_LINK_REMOTE_OPEN:
		attached(l);
		break;
	case PN_LINK_REMOTE_CLOSE:
	case PN_LINK_REMOTE_DETACH:
		closed(l, "link to", pn_link_remote_condition(l->sender));
		break;
	case PN_DELIVERY:
		take_delivery(l, pn_event_delivery(event));
		break;
	default:
		break;
	}
}

static void
connection_event(struct azuresb_link *l, pn_event_t *event)
{
	pn_connection_t *connection = pn_event_connection(event);

	switch (pn_event_type(event)) {
	case PN_CONNECTION_INIT:
		begin(l, connection, azuresb_pipe_transport(l->pipe));
		break;
	case PN_CONNECTION_REMOTE_OPEN:
		opened(l, connection);
		break;
	case PN_SESSION_REMOTE_CLOSE:
		closed(l, "session for", pn_session_remote_condition(l->session));
		break;
	case PN_CONNECTION_REMOTE_CLOSE:
		closed(l, "connection for", pn_connection_remote_condition(connection));
		break;
	case PN_TRANSPORT_ERROR:
		transport_failed(l, pn_transport_condition(pn_event_transport(event)));
		break;
	default:
		break;
	}
}

static void
take_event(void *arg, pn_event_t *event)
{
	struct azuresb_link *l = arg;
	pn_link_t *link = pn_event_link(event);

	if (link != NULL && link == l->sender) {
		sender_event(l, event);
	} else if (link != NULL && azuresb_cbs_has(l->cbs, link)) {
		azuresb_cbs_event(l->cbs, event);
		look_at_cbs(l);
	} else {
		connection_event(l, event);
	}
}

struct azuresb_link *
azuresb_link_open(const struct azuresb_link_options *options)
{
	struct azuresb_link *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->o = *options;
	l->began_ms = core_now_ms();
	l->pipe = azuresb_pipe_open(&options->config->peer, take_event, l);
	if (l->pipe == NULL) {
		free(l);
		return NULL;
	}
	return l;
}

/* The socket has taken part of a message since the last look. An empty frame that keeps the
 * connection is no progress. */
static void
look_at_writing(struct azuresb_link *l)
{
	size_t unwritten = l->session != NULL ? pn_session_outgoing_bytes(l->session) : 0;

	if (unwritten < l->unwritten)
		l->progress_ms = core_now_ms();
	l->unwritten = unwritten;
}

static void
check_clock(struct azuresb_link *l)
{
	const struct azuresb_config *c = l->o.config;
	const char *doing = azuresb_pipe_doing(l->pipe);
	int64_t now = core_now_ms();

	if (l->state == AZURESB_LINK_WAIT && now - l->began_ms >= BRING_UP_MS)
		end_link(l, AZURESB_END_ERROR, "%s:%u has not answered for %d s: %s",
		    c->peer.host, c->peer.port, BRING_UP_MS / 1000,
		    doing != NULL ? doing : l->doing);
	if (l->state == AZURESB_LINK_UP && pn_link_unsettled(l->sender) > 0 &&
	    now - l->progress_ms >= ANSWER_MS)
		end_link(l, AZURESB_END_ERROR, "%s:%u has not answered for %d s", c->peer.host,
		    c->peer.port, ANSWER_MS / 1000);
}

enum azuresb_link_state
azuresb_link_work(struct azuresb_link *l)
{
	const struct azuresb_config *c = l->o.config;

	if (l->cbs != NULL) {
		azuresb_cbs_work(l->cbs);
		look_at_cbs(l);
	}
	if (l->state != AZURESB_LINK_DOWN && azuresb_pipe_work(l->pipe) == AZURESB_PIPE_FAILED)
		end_link(l, AZURESB_END_ERROR, "%s:%u: %s", c->peer.host, c->peer.port,
		    azuresb_pipe_why(l->pipe));
	look_at_writing(l);
	check_clock(l);
	return l->state;
}

void
azuresb_link_close(struct azuresb_link *l)
{
	if (l == NULL)
		return;
	if (l->state == AZURESB_LINK_UP) {
		pn_connection_close(azuresb_pipe_connection(l->pipe));
		azuresb_pipe_flush(l->pipe);
	}
	azuresb_cbs_close(l->cbs);
	azuresb_pipe_close(l->pipe);
	free(l);
}

int
azuresb_link_fd(const struct azuresb_link *l)
{
	return azuresb_pipe_fd(l->pipe);
}

const char *
azuresb_link_why(const struct azuresb_link *l)
{
	return l->why;
}

enum azuresb_link_end
azuresb_link_end(const struct azuresb_link *l)
{
	return l->end;
}

bool
azuresb_link_has_room(const struct azuresb_link *l)
{
	return l->state == AZURESB_LINK_UP && pn_link_credit(l->sender) > 0 &&
	       pn_session_outgoing_bytes(l->session) < UNWRITTEN_MAX;
}

bool
azuresb_link_is_dry(const struct azuresb_link *l)
{
	return l->state == AZURESB_LINK_UP && pn_link_credit(l->sender) <= 0 &&
	       pn_link_unsettled(l->sender) == 0;
}

uint64_t
azuresb_link_max_size(const struct azuresb_link *l)
{
	return pn_link_remote_max_message_size(l->sender);
}

int
azuresb_link_send(struct azuresb_link *l, const void *head, size_t head_len, struct message *m)
{
	pn_delivery_t *delivery;

	if (pn_link_unsettled(l->sender) == 0)
		l->progress_ms = core_now_ms(); /* the server has had nothing to do until now */
	l->sent++;
	delivery = pn_delivery(l->sender, pn_dtag((const char *)&l->sent, sizeof(l->sent)));
	if (delivery == NULL) {
		errno = ENOMEM;
		return -1;
	}
	pn_delivery_set_context(delivery, m);
	pn_link_send(l->sender, head, head_len);
	pn_link_send(l->sender, (const char *)m->body, m->len);
	pn_link_advance(l->sender);
	l->unwritten = pn_session_outgoing_bytes(l->session);
	return 0;
}

void
azuresb_link_flush(struct azuresb_link *l)
{
	azuresb_pipe_flush(l->pipe);
	look_at_writing(l);
}

void
azuresb_link_take_back(
    struct azuresb_link *l, void (*fn)(void *arg, struct message *m), void *arg)
{
	pn_delivery_t *delivery = l->sender != NULL ? pn_unsettled_head(l->sender) : NULL;

	while (delivery != NULL) {
		pn_delivery_t *next = pn_unsettled_next(delivery);
		struct message *m = pn_delivery_get_context(delivery);

		pn_delivery_settle(delivery);
		fn(arg, m);
		delivery = next;
	}
}

struct message *
azuresb_link_largest(const struct azuresb_link *l)
{
	pn_delivery_t *delivery = l->sender != NULL ? pn_unsettled_head(l->sender) : NULL;
	struct message *largest = NULL;

	for (; delivery != NULL; delivery = pn_unsettled_next(delivery)) {
		struct message *m = pn_delivery_get_context(delivery);

		if (largest == NULL || m->len > largest->len)
			largest = m;
	}
	return largest;
}

void
azuresb_link_leave(struct azuresb_link *l, const char *why)
{
	end_link(l, AZURESB_END_ERROR, "%s", why);
}
