/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/rabbit_talk.h"

#include <stdlib.h>
#include <string.h>

#include "kpublish/rabbit_login.h"
#include "kpublish/rabbit_wire.h"
#include "tap.h"

enum { OUT_MAX = 1 << 20 };

/* A talk, with the broker's side of it. */
struct fixture {
	struct rabbit_servers servers;
	struct rabbit_hears hears;
	struct buf theirs; /* the broker's words, until they are heard */
	struct buf ours;
	struct rabbit_talk *talk;
	amqp_connection_state_t decoder; /* of ours */
	size_t slowly;                   /* so many bytes at a time; 0: all at once */
	char heard[256];                 /* what came out of it */
};

static void
note(struct fixture *f, const char *text)
{
	strncat(f->heard, text, sizeof(f->heard) - strlen(f->heard) - 1);
}

static void
confirmed(void *arg, uint64_t tag, bool multiple, bool taken)
{
	char text[64];

	snprintf(text, sizeof(text), "%s%s%u ", taken ? "+" : "-", multiple ? "<=" : "",
	    (unsigned)tag);
	note(arg, text);
}

static bool
returned(void *arg, const void *id, size_t len, const char *reply)
{
	char text[128];

	snprintf(text, sizeof(text), "back %.*s: %s ", (int)len, (const char *)id, reply);
	note(arg, text);
	return len == 2;
}

static void
begin(struct fixture *f, const char *url)
{
	char *why;

	*f = (struct fixture){.hears = {f, confirmed, returned}};
	rabbit_url_parse(&f->servers, url, &why);
	free(why);
	buf_init(&f->theirs, OUT_MAX);
	buf_init(&f->ours, OUT_MAX);
	f->decoder = amqp_new_connection();
	f->talk = rabbit_talk_open(&f->servers.server[0], "ex", &f->hears, &f->ours);
	rabbit_talk_begin(f->talk);
}

static void
end(struct fixture *f)
{
	rabbit_talk_close(f->talk);
	amqp_destroy_connection(f->decoder);
	buf_free(&f->ours);
	buf_free(&f->theirs);
	rabbit_url_free(&f->servers);
}

/* The broker says it. */
static int
hear(struct fixture *f)
{
	const size_t n = f->theirs.len;
	const size_t step = f->slowly > 0 ? f->slowly : n;
	int result = 0;

	for (size_t at = 0; result == 0 && at < n; at += step)
		result = rabbit_talk_hear(
		    f->talk, f->theirs.data + at, n - at < step ? n - at : step);
	f->theirs.len = 0;
	return result;
}

static int
say(struct fixture *f, uint16_t channel, amqp_method_number_t method, void *fields)
{
	rabbit_wire_method(&f->theirs, channel, method, fields);
	return hear(f);
}

/* Our next word, once: its method; 0: there is none. *fields, when it is `method`. */
static amqp_method_number_t
next_word(struct fixture *f, amqp_method_number_t method, const void **fields)
{
	amqp_frame_t frame = {.frame_type = 0};

	*fields = NULL;
	while (f->ours.len > 0 && frame.frame_type != AMQP_FRAME_METHOD) {
		int used = amqp_handle_input(f->decoder,
		    (amqp_bytes_t){.len = f->ours.len, .bytes = f->ours.data}, &frame);

		if (used <= 0)
			return 0;
		buf_consume(&f->ours, (size_t)used);
	}
	if (frame.frame_type != AMQP_FRAME_METHOD)
		return 0;
	if (frame.payload.method.id == method)
		*fields = frame.payload.method.decoded;
	return frame.payload.method.id;
}

/* The same, of this method; NULL when it is another. */
static const void *
answer(struct fixture *f, amqp_method_number_t method)
{
	const void *fields;

	next_word(f, method, &fields);
	return fields;
}

static int
say_start(struct fixture *f, const char *mechanisms)
{
	amqp_connection_start_t start = {.version_minor = 9,
	    .mechanisms = amqp_cstring_bytes(mechanisms),
	    .locales = amqp_cstring_bytes("en_US")};

	return say(f, 0, AMQP_CONNECTION_START_METHOD, &start);
}

static int
say_tune(struct fixture *f, uint32_t frame_max, uint16_t heartbeat)
{
	amqp_connection_tune_t tune = {
	    .channel_max = 2047, .frame_max = frame_max, .heartbeat = heartbeat};

	return say(f, 0, AMQP_CONNECTION_TUNE_METHOD, &tune);
}

static void
make_ready(struct fixture *f)
{
	amqp_connection_open_ok_t vhost = {.known_hosts = amqp_empty_bytes};
	amqp_channel_open_ok_t channel = {.channel_id = amqp_empty_bytes};
	amqp_exchange_declare_ok_t exchange = {.dummy = 0};
	amqp_confirm_select_ok_t confirm = {.dummy = 0};

	say_start(f, "PLAIN AMQPLAIN");
	say_tune(f, 0, 60);
	say(f, 0, AMQP_CONNECTION_OPEN_OK_METHOD, &vhost);
	say(f, RABBIT_CHANNEL, AMQP_CHANNEL_OPEN_OK_METHOD, &channel);
	say(f, RABBIT_CHANNEL, AMQP_EXCHANGE_DECLARE_OK_METHOD, &exchange);
	say(f, RABBIT_CHANNEL, AMQP_CONFIRM_SELECT_OK_METHOD, &confirm);
}

static bool
ended_with(const struct fixture *f, const char *text)
{
	return rabbit_talk_ended(f->talk) && strstr(rabbit_talk_why(f->talk), text) != NULL &&
	       strstr(rabbit_talk_why(f->talk), "secret") == NULL;
}

/* Is there an entry of this name, that is true, in the table `capabilities` of these? */
static bool
can(const amqp_table_t *properties, const char *name)
{
	for (int i = 0; i < properties->num_entries; i++) {
		const amqp_table_entry_t *e = &properties->entries[i];

		if (e->value.kind == AMQP_FIELD_KIND_TABLE && can(&e->value.value.table, name))
			return true;
		if (e->value.kind == AMQP_FIELD_KIND_BOOLEAN && e->value.value.boolean &&
		    e->key.len == strlen(name) && memcmp(e->key.bytes, name, e->key.len) == 0)
			return true;
	}
	return false;
}

static void
opening(struct tap *tap)
{
	struct fixture f;
	const amqp_connection_start_ok_t *ok;
	const amqp_connection_tune_ok_t *tuned;
	const amqp_exchange_declare_t *declare;

	begin(&f, "amqp://me:secret@h/v?heartbeat=20");
	make_ready(&f);
	tap_ok(tap, rabbit_talk_ready(f.talk), "step by step until ready");
	ok = answer(&f, AMQP_CONNECTION_START_OK_METHOD);
	tap_ok(tap,
	    ok != NULL && ok->response.len == 10 &&
		memcmp(ok->response.bytes, "\0me\0secret", 10) == 0,
	    "start-ok, with user and password");
	tap_ok(tap,
	    ok != NULL && can(&ok->client_properties, "connection.blocked") &&
		can(&ok->client_properties, "authentication_failure_close"),
	    "it can be told that it is blocked, and why it is not let in");
	tuned = answer(&f, AMQP_CONNECTION_TUNE_OK_METHOD);
	tap_ok(tap,
	    tuned != NULL && tuned->heartbeat == 20 && tuned->frame_max == RABBIT_FRAME_MAX &&
		rabbit_talk_heartbeat_ms(f.talk) == 20000 &&
		rabbit_talk_frame_max(f.talk) == RABBIT_FRAME_MAX,
	    "tune-ok, with the smaller of each proposal");
	tap_ok(tap,
	    answer(&f, AMQP_CONNECTION_OPEN_METHOD) != NULL &&
		answer(&f, AMQP_CHANNEL_OPEN_METHOD) != NULL,
	    "open, and a channel");
	declare = answer(&f, AMQP_EXCHANGE_DECLARE_METHOD);
	tap_ok(tap, declare != NULL && declare->passive, "declare, which makes no exchange");
	tap_ok(tap, answer(&f, AMQP_CONFIRM_SELECT_METHOD) != NULL && f.ours.len == 0,
	    "and confirms");
	end(&f);
}

static void
opening_otherwise(struct tap *tap)
{
	struct fixture f;
	amqp_connection_close_t refused = {
	    .reply_code = 403, .reply_text = amqp_cstring_bytes("ACCESS_REFUSED - no")};

	begin(&f, "amqp://me:secret@h?heartbeat=0");
	f.slowly = 1;
	make_ready(&f);
	tap_ok(tap, rabbit_talk_ready(f.talk) && rabbit_talk_heartbeat_ms(f.talk) == 0,
	    "a byte at a time; no heartbeat when we want none");
	end(&f);

	begin(&f, "amqp://me:secret@h");
	tap_ok(tap, say_start(&f, "AMQPLAIN XPLAIN PLAINX") == -1 && ended_with(&f, "PLAIN"),
	    "no mechanism that we have");
	end(&f);

	begin(&f, "amqps://h?auth_mechanism=external");
	tap_ok(tap, say_start(&f, "PLAIN EXTERNAL") == 0 && say_tune(&f, 8192, 0) == 0,
	    "by certificate");
	tap_ok(tap, rabbit_talk_frame_max(f.talk) == 8192, "smaller frames");
	end(&f);

	begin(&f, "amqp://me:secret@h:7");
	say_start(&f, "PLAIN");
	tap_ok(tap,
	    say(&f, 0, AMQP_CONNECTION_CLOSE_METHOD, &refused) == -1 &&
		ended_with(&f, "amqp://h:7: ") && ended_with(&f, "\"me\"") &&
		ended_with(&f, "403 ACCESS_REFUSED - no"),
	    "wrong password: who and where, not the password");
	end(&f);

	begin(&f, "amqp://h");
	buf_addstr(&f.theirs, "HTTP/1.1 400 Bad Request\r\n");
	tap_ok(tap, hear(&f) == -1 && ended_with(&f, "does not speak AMQP 0-9-1"), "HTTP");
	end(&f);

	begin(&f, "amqp://h");
	buf_add(&f.theirs, "AMQP\0\1\0\0", 8);
	tap_ok(tap, hear(&f) == -1 && ended_with(&f, "does not speak AMQP 0-9-1"), "AMQP 1.0");
	end(&f);

	begin(&f, "amqp://h");
	tap_ok(tap, say_tune(&f, 0, 0) == -1 && ended_with(&f, "nobody asked for"),
	    "a word out of place");
	end(&f);
}

static void
confirms(struct tap *tap)
{
	struct fixture f;
	amqp_basic_ack_t one = {.delivery_tag = 1};
	amqp_basic_ack_t many = {.delivery_tag = 7, .multiple = 1};
	amqp_basic_nack_t nack = {.delivery_tag = 8};
	amqp_connection_blocked_t blocked = {.reason = amqp_cstring_bytes("low on memory")};
	amqp_connection_unblocked_t unblocked = {.dummy = 0};

	begin(&f, "amqp://h");
	make_ready(&f);
	say(&f, RABBIT_CHANNEL, AMQP_BASIC_ACK_METHOD, &one);
	say(&f, RABBIT_CHANNEL, AMQP_BASIC_ACK_METHOD, &many);
	say(&f, RABBIT_CHANNEL, AMQP_BASIC_NACK_METHOD, &nack);
	tap_ok(tap, strcmp(f.heard, "+1 +<=7 -8 ") == 0, "acks and nacks");
	rabbit_wire_heartbeat(&f.theirs);
	tap_ok(tap, hear(&f) == 0, "heartbeats are nothing to say");
	say(&f, 0, AMQP_CONNECTION_BLOCKED_METHOD, &blocked);
	tap_ok(tap,
	    rabbit_talk_blocked(f.talk) != NULL &&
		strcmp(rabbit_talk_blocked(f.talk), "low on memory") == 0,
	    "blocked, and why");
	say(&f, 0, AMQP_CONNECTION_UNBLOCKED_METHOD, &unblocked);
	tap_ok(tap, rabbit_talk_blocked(f.talk) == NULL && rabbit_talk_ready(f.talk),
	    "and no longer");
	end(&f);
}

/* As the broker gives a message back: reply, properties, body. */
static int
give_back(struct fixture *f, struct message *m)
{
	amqp_basic_return_t r = {
	    .reply_code = 312, .reply_text = amqp_cstring_bytes("NO_ROUTE")};
	struct buf whole;

	buf_init(&whole, OUT_MAX);
	rabbit_wire_message(&whole, RABBIT_CHANNEL, "ex", m, 4096);
	rabbit_wire_method(&f->theirs, RABBIT_CHANNEL, AMQP_BASIC_RETURN_METHOD, &r);
	/* All but the method basic.publish, which stands first. */
	{
		uint32_t n = (uint32_t)((unsigned char)whole.data[5] << 8 |
					(unsigned char)whole.data[6]);

		buf_add(&f->theirs, whole.data + n + 8, whole.len - n - 8);
	}
	buf_free(&whole);
	return hear(f);
}

static void
returns(struct tap *tap)
{
	struct fixture f;
	uint8_t body[10000] = {0};
	struct message m = {
	    .body = body, .len = sizeof(body), .id = {"m1", 2}, .key = "k", .key_len = 1};
	amqp_basic_ack_t ack = {.delivery_tag = 1};

	begin(&f, "amqp://h");
	make_ready(&f);
	f.slowly = 1000;
	give_back(&f, &m);
	say(&f, RABBIT_CHANNEL, AMQP_BASIC_ACK_METHOD, &ack);
	tap_ok(tap, strcmp(f.heard, "back m1: 312 NO_ROUTE +1 ") == 0,
	    "a message comes back, in frames, before its ack");
	m.len = 0;
	tap_ok(tap, give_back(&f, &m) == 0, "one without a body");
	m.id.len = 1;
	tap_ok(tap, give_back(&f, &m) == -1 && ended_with(&f, "312 NO_ROUTE"),
	    "one that nobody knows ends it: nothing is taken for delivered");
	end(&f);
}

static void
closed(struct tap *tap, const char *text, size_t limit, const char *name)
{
	struct fixture f;
	amqp_channel_close_t close = {
	    .reply_code = 406, .reply_text = amqp_cstring_bytes(text), .class_id = 60};
	amqp_basic_ack_t ack = {.delivery_tag = 1};
	amqp_connection_close_ok_t farewell = {.dummy = 0};
	amqp_method_number_t method;
	amqp_method_number_t last = 0;
	const void *fields;

	begin(&f, "amqp://h");
	make_ready(&f);
	say(&f, RABBIT_CHANNEL, AMQP_CHANNEL_CLOSE_METHOD, &close);
	while ((method = next_word(&f, 0, &fields)) != 0)
		last = method;
	say(&f, RABBIT_CHANNEL, AMQP_BASIC_ACK_METHOD, &ack);
	tap_ok(tap,
	    last == AMQP_CONNECTION_CLOSE_METHOD && rabbit_talk_parting(f.talk) &&
		!rabbit_talk_ready(f.talk) && *f.heard == '\0',
	    "a channel that is closed: farewell, and nothing is heard any more");
	tap_ok(tap,
	    say(&f, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &farewell) == -1 &&
		ended_with(&f, text) && rabbit_talk_limit(f.talk) == limit,
	    name);
	end(&f);
}

int
main(void)
{
	struct tap tap = {0};

	opening(&tap);
	opening_otherwise(&tap);
	confirms(&tap);
	returns(&tap);
	closed(&tap,
	    "PRECONDITION_FAILED - message size 200 is larger than configured max size 128",
	    128, "too large: the limit is learned");
	closed(&tap,
	    "PRECONDITION_FAILED - message size 536870913 is larger than max size 536870912",
	    536870912, "the largest there can be");
	closed(&tap, "PRECONDITION_FAILED - something else", 0, "no limit in another reason");
	return tap_done(&tap);
}
