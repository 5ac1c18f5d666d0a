/* SPDX-License-Identifier: Apache-2.0 */
#include "rabbit_talk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rabbit_login.h"
#include "rabbit_wire.h"

enum {
	WHY_MAX = 400,
	REPLY_MAX = 80,
	FRAME_MIN = 4096,
	ACCESS_REFUSED = 403,
	PRECONDITION_FAILED = 406,
	PROTOCOL_HEADER = 'A', /* rabbitmq-c's type for "AMQP" in place of a frame */
};

/* Of the opening, see there. */
enum { STEP_LOGIN = 1, STEP_VHOST = 2 };

struct rabbit_talk {
	const struct rabbit_server *server;
	const char *exchange;
	const struct rabbit_hears *hears;
	struct buf *out;
	amqp_connection_state_t decoder;
	size_t step; /* of the opening: what is waited for */
	size_t frame_max;
	int heartbeat_ms;

	bool blocked;
	char blocked_why[REPLY_MAX];

	/* A returned message: its method has come; properties and body are to. */
	bool returning;
	uint64_t returning_bytes;
	char reply[REPLY_MAX];

	bool parting; /* farewell was said: until the broker's is heard */
	bool ended;
	size_t limit;
	char why[WHY_MAX];
};

static void give_reason(struct rabbit_talk *t, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* The first reason counts. */
static void
give_reason(struct rabbit_talk *t, const char *fmt, va_list ap)
{
	int n;

	if (t->parting || t->ended)
		return;
	n = snprintf(t->why, sizeof(t->why), "%s: ", t->server->shown);
	if (n > 0 && (size_t)n < sizeof(t->why))
		vsnprintf(t->why + n, sizeof(t->why) - (size_t)n, fmt, ap);
}

int
rabbit_talk_end(struct rabbit_talk *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	give_reason(t, fmt, ap);
	va_end(ap);
	t->ended = true;
	return -1;
}

void
rabbit_talk_part(struct rabbit_talk *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	give_reason(t, fmt, ap);
	va_end(ap);
	if (!t->parting && (t->step <= STEP_VHOST || rabbit_login_farewell(t->out) == -1))
		t->ended = true; /* nobody there to take leave of */
	t->parting = true;
}

/* What was appended, or not. */
static int
said(struct rabbit_talk *t, int result)
{
	return result == 0
		   ? 0
		   : rabbit_talk_end(t, "cannot speak to the broker: %s", strerror(errno));
}

static bool
has_word(amqp_bytes_t list, const char *word)
{
	const size_t len = strlen(word);
	const char *at = list.bytes;
	const char *stop = at + list.len;

	while (at < stop) {
		const char *space = memchr(at, ' ', (size_t)(stop - at));
		const char *word_end = space != NULL ? space : stop;

		if ((size_t)(word_end - at) == len && memcmp(at, word, len) == 0)
			return true;
		at = word_end + 1;
	}
	return false;
}

static int
on_start(struct rabbit_talk *t, const void *fields)
{
	const amqp_connection_start_t *start = fields;
	const char *mechanism = t->server->external ? "EXTERNAL" : "PLAIN";

	if (!has_word(start->mechanisms, mechanism))
		return rabbit_talk_end(t,
		    "the broker offers the mechanisms \"%.*s\", and not %s",
		    (int)start->mechanisms.len, (const char *)start->mechanisms.bytes,
		    mechanism);
	return said(t, rabbit_login_start(t->out, t->server));
}

/* Of what both sides propose the smaller; 0 proposes nothing. */
static uint32_t
agree(uint32_t theirs, uint32_t ours)
{
	return ours == 0 || (theirs != 0 && theirs < ours) ? theirs : ours;
}

static int
on_tune(struct rabbit_talk *t, const void *fields)
{
	const amqp_connection_tune_t *tune = fields;
	struct buf *out = t->out;
	uint16_t heartbeat_s = 0;
	int result;

	t->frame_max = agree(tune->frame_max, RABBIT_FRAME_MAX);
	if (t->frame_max < FRAME_MIN)
		return rabbit_talk_end(t, "the broker wants frames of %zu bytes", t->frame_max);
	if (t->server->heartbeat_s > 0)
		heartbeat_s =
		    (uint16_t)agree(tune->heartbeat, (uint32_t)t->server->heartbeat_s);
	t->heartbeat_ms = heartbeat_s * 1000;
	/* The decoder is not to watch the heartbeat: it would only when it reads by itself. */
	result = amqp_tune_connection(t->decoder, RABBIT_CHANNEL, (int)t->frame_max, 0);
	if (result != AMQP_STATUS_OK)
		return rabbit_talk_end(t, "%s", amqp_error_string2(result));
	if (said(t, rabbit_login_tune(out, (uint32_t)t->frame_max, heartbeat_s)) == -1)
		return -1;
	return said(t, rabbit_login_vhost(out, t->server));
}

static int
on_opened(struct rabbit_talk *t, const void *fields)
{
	(void)fields;
	return said(t, rabbit_login_channel(t->out));
}

static int
on_channel(struct rabbit_talk *t, const void *fields)
{
	(void)fields;
	return said(t, rabbit_login_exchange(t->out, t->exchange));
}

static int
on_exchange(struct rabbit_talk *t, const void *fields)
{
	(void)fields;
	return said(t, rabbit_login_confirm(t->out));
}

static int
on_confirming(struct rabbit_talk *t, const void *fields)
{
	(void)t;
	(void)fields;
	return 0;
}

/* The opening: each is waited for, and answered with what asks for the next. */
static const struct {
	amqp_method_number_t method;
	int (*answer)(struct rabbit_talk *t, const void *fields);
	const char *what; /* we are doing, for people */
} steps[] = {
    {AMQP_CONNECTION_START_METHOD, on_start, "waiting for its first word"},
    {AMQP_CONNECTION_TUNE_METHOD, on_tune, "logging in"},
    {AMQP_CONNECTION_OPEN_OK_METHOD, on_opened, "opening the vhost"},
    {AMQP_CHANNEL_OPEN_OK_METHOD, on_channel, "opening a channel"},
    {AMQP_EXCHANGE_DECLARE_OK_METHOD, on_exchange, "asking for the exchange"},
    {AMQP_CONFIRM_SELECT_OK_METHOD, on_confirming, "asking for confirms"},
};

enum { STEPS = sizeof(steps) / sizeof(steps[0]) };

bool
rabbit_talk_ready(const struct rabbit_talk *t)
{
	return t->step == STEPS && !t->parting && !t->ended;
}

static int
on_connection_close(struct rabbit_talk *t, const void *fields)
{
	const amqp_connection_close_t *close = fields;
	amqp_connection_close_ok_t ok = {.dummy = 0};
	int len = (int)close->reply_text.len;
	const char *text = close->reply_text.bytes;

	(void)rabbit_wire_method(t->out, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
	if (t->step == STEP_LOGIN && close->reply_code == ACCESS_REFUSED &&
	    !t->server->external)
		return rabbit_talk_end(t, "does not let the user \"%s\" in: %u %.*s",
		    t->server->user, close->reply_code, len, text);
	return rabbit_talk_end(t, "%u %.*s", close->reply_code, len, text);
}

size_t
rabbit_talk_read_limit(const char *text)
{
	const char *at = strstr(text, "message size ");

	at = at != NULL ? strstr(at, "max size ") : NULL;
	return at != NULL ? (size_t)strtoull(at + strlen("max size "), NULL, 10) : 0;
}

/* A channel that is closed has dropped what it had not routed. A new connection is as good as a
 * new channel, and one way less. */
static int
on_channel_close(struct rabbit_talk *t, const void *fields)
{
	const amqp_channel_close_t *close = fields;
	char text[RABBIT_SHORT_MAX + 1];

	snprintf(text, sizeof(text), "%.*s", (int)close->reply_text.len,
	    (const char *)close->reply_text.bytes);
	if (close->reply_code == PRECONDITION_FAILED)
		t->limit = rabbit_talk_read_limit(text);
	rabbit_talk_part(t, "%u %s", close->reply_code, text);
	return 0;
}

static int
on_return(struct rabbit_talk *t, const void *fields)
{
	const amqp_basic_return_t *r = fields;

	t->returning = true;
	snprintf(t->reply, sizeof(t->reply), "%u %.*s", r->reply_code, (int)r->reply_text.len,
	    (const char *)r->reply_text.bytes);
	return 0;
}

static int
on_blocked(struct rabbit_talk *t, const void *fields)
{
	const amqp_connection_blocked_t *blocked = fields;

	t->blocked = true;
	snprintf(t->blocked_why, sizeof(t->blocked_why), "%.*s", (int)blocked->reason.len,
	    (const char *)blocked->reason.bytes);
	return 0;
}

static int
on_ack(struct rabbit_talk *t, const void *fields)
{
	const amqp_basic_ack_t *ack = fields;

	t->hears->confirmed(t->hears->arg, ack->delivery_tag, ack->multiple, true);
	return 0;
}

static int
on_nack(struct rabbit_talk *t, const void *fields)
{
	const amqp_basic_nack_t *nack = fields;

	t->hears->confirmed(t->hears->arg, nack->delivery_tag, nack->multiple, false);
	return 0;
}

static int
on_method(struct rabbit_talk *t, amqp_method_number_t method, const void *fields)
{
	if (t->parting && method != AMQP_CONNECTION_CLOSE_METHOD)
		return method == AMQP_CONNECTION_CLOSE_OK_METHOD ? rabbit_talk_end(t, "parted")
								 : 0;
	switch (method) {
	case AMQP_CONNECTION_CLOSE_METHOD:
		return on_connection_close(t, fields);
	case AMQP_CHANNEL_CLOSE_METHOD:
		return on_channel_close(t, fields);
	case AMQP_CONNECTION_BLOCKED_METHOD:
		return on_blocked(t, fields);
	case AMQP_CONNECTION_UNBLOCKED_METHOD:
		t->blocked = false;
		return 0;
	default:
		break;
	}
	if (t->step < STEPS && method == steps[t->step].method)
		return steps[t->step++].answer(t, fields);
	if (rabbit_talk_ready(t) && method == AMQP_BASIC_ACK_METHOD)
		return on_ack(t, fields);
	if (rabbit_talk_ready(t) && method == AMQP_BASIC_NACK_METHOD)
		return on_nack(t, fields);
	if (rabbit_talk_ready(t) && method == AMQP_BASIC_RETURN_METHOD)
		return on_return(t, fields);
	return rabbit_talk_end(
	    t, "the broker says what nobody asked for: method %#" PRIx32, method);
}

/* Of a returned message. */
static int
on_properties(struct rabbit_talk *t, const amqp_frame_t *frame)
{
	const amqp_basic_properties_t *properties = frame->payload.properties.decoded;

	if (!t->returning || frame->payload.properties.class_id != AMQP_BASIC_CLASS)
		return rabbit_talk_end(t, "the broker sends a message that nobody asked for");
	t->returning = false;
	t->returning_bytes = frame->payload.properties.body_size;
	if (!(properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) ||
	    !t->hears->returned(t->hears->arg, properties->message_id.bytes,
		properties->message_id.len, t->reply))
		return rabbit_talk_end(
		    t, "the broker returns a message that is not known: %s", t->reply);
	return 0;
}

static int
on_body(struct rabbit_talk *t, const amqp_frame_t *frame)
{
	const size_t len = frame->payload.body_fragment.len;

	if (len > t->returning_bytes)
		return rabbit_talk_end(t, "the broker sends more than it said");
	t->returning_bytes -= len;
	return 0;
}

static int
on_frame(struct rabbit_talk *t, const amqp_frame_t *frame)
{
	if (t->parting && frame->frame_type != AMQP_FRAME_METHOD)
		return 0;
	switch (frame->frame_type) {
	case AMQP_FRAME_METHOD:
		return on_method(t, frame->payload.method.id, frame->payload.method.decoded);
	case AMQP_FRAME_HEADER:
		return on_properties(t, frame);
	case AMQP_FRAME_BODY:
		return on_body(t, frame);
	case PROTOCOL_HEADER:
		return rabbit_talk_end(t, "does not speak AMQP 0-9-1");
	default: /* a heartbeat, or no whole frame yet */
		return 0;
	}
}

int
rabbit_talk_begin(struct rabbit_talk *t)
{
	return said(t, rabbit_wire_hello(t->out));
}

static int
garbled(struct rabbit_talk *t, int result)
{
	if (t->step == 0)
		return rabbit_talk_end(t, "does not speak AMQP 0-9-1%s",
		    t->server->peer.tls ? "" : " (where TLS is wanted: amqps://)");
	return rabbit_talk_end(
	    t, "the broker's words make no sense: %s", amqp_error_string2(result));
}

int
rabbit_talk_hear(struct rabbit_talk *t, void *bytes, size_t n)
{
	amqp_bytes_t rest = {.len = n, .bytes = bytes};

	while (rest.len > 0) {
		amqp_frame_t frame;
		int used = amqp_handle_input(t->decoder, rest, &frame);

		if (used <= 0)
			return garbled(t, used);
		rest.len -= (size_t)used;
		rest.bytes = (char *)rest.bytes + used;
		if (on_frame(t, &frame) == -1 || t->ended)
			return -1;
		/* What was decoded is not wanted any more. */
		if (frame.frame_type != 0)
			amqp_maybe_release_buffers_on_channel(t->decoder, frame.channel);
	}
	return 0;
}

struct rabbit_talk *
rabbit_talk_open(const struct rabbit_server *server, const char *exchange,
    const struct rabbit_hears *hears, struct buf *out)
{
	struct rabbit_talk *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	*t = (struct rabbit_talk){
	    .server = server, .exchange = exchange, .hears = hears, .out = out};
	t->decoder = amqp_new_connection();
	if (t->decoder == NULL) {
		free(t);
		errno = ENOMEM;
		return NULL;
	}
	return t;
}

void
rabbit_talk_close(struct rabbit_talk *t)
{
	if (t == NULL)
		return;
	amqp_destroy_connection(t->decoder);
	free(t);
}

bool
rabbit_talk_ended(const struct rabbit_talk *t)
{
	return t->ended;
}

bool
rabbit_talk_parting(const struct rabbit_talk *t)
{
	return t->parting;
}

const char *
rabbit_talk_why(const struct rabbit_talk *t)
{
	return t->why;
}

size_t
rabbit_talk_limit(const struct rabbit_talk *t)
{
	return t->limit;
}

const char *
rabbit_talk_doing(const struct rabbit_talk *t)
{
	return t->step < STEPS ? steps[t->step].what : "publishing";
}

int
rabbit_talk_heartbeat_ms(const struct rabbit_talk *t)
{
	return t->heartbeat_ms;
}

size_t
rabbit_talk_frame_max(const struct rabbit_talk *t)
{
	return t->frame_max;
}

const char *
rabbit_talk_blocked(const struct rabbit_talk *t)
{
	return t->blocked ? t->blocked_why : NULL;
}
