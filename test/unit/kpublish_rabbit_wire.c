/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/rabbit_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

enum { CHANNEL = 1, FRAME_MAX = 4096, OVERHEAD = 8, LARGE = 10000, OUT_MAX = 1 << 20 };

static bool
same(amqp_bytes_t b, const char *text)
{
	return b.len == strlen(text) && memcmp(b.bytes, text, b.len) == 0;
}

/* The next frame out of what was written; false: there is none. */
static bool
next_frame(amqp_connection_state_t decoder, struct buf *out, amqp_frame_t *frame)
{
	*frame = (amqp_frame_t){.frame_type = 0};
	while (out->len > 0 && frame->frame_type == 0) {
		int used = amqp_handle_input(
		    decoder, (amqp_bytes_t){.len = out->len, .bytes = out->data}, frame);

		if (used <= 0)
			return false;
		buf_consume(out, (size_t)used);
	}
	return frame->frame_type != 0;
}

static bool
has_properties(const amqp_frame_t *frame, const struct message *m)
{
	const amqp_basic_properties_t *p = frame->payload.properties.decoded;

	return frame->frame_type == AMQP_FRAME_HEADER &&
	       frame->payload.properties.class_id == AMQP_BASIC_CLASS &&
	       frame->payload.properties.body_size == m->len && p->delivery_mode == 2 &&
	       same(p->message_id, "id-1") && same(p->content_type, "application/x-protobuf") &&
	       p->headers.num_entries == 1 && same(p->headers.entries[0].key, "kind") &&
	       p->headers.entries[0].value.kind == AMQP_FIELD_KIND_UTF8 &&
	       same(p->headers.entries[0].value.value.bytes, "Pod");
}

/* The pieces of the body, put together. */
static bool
has_body(amqp_connection_state_t decoder, struct buf *out, const struct message *m)
{
	amqp_frame_t frame;
	size_t at = 0;
	bool good = true;

	while (good && next_frame(decoder, out, &frame)) {
		const amqp_bytes_t *piece = &frame.payload.body_fragment;

		good = frame.frame_type == AMQP_FRAME_BODY &&
		       piece->len + OVERHEAD <= FRAME_MAX && at + piece->len <= m->len &&
		       memcmp(m->body + at, piece->bytes, piece->len) == 0;
		at += piece->len;
	}
	return good && at == m->len;
}

static void
message(struct tap *tap, size_t len)
{
	char body[LARGE];
	struct message m = {.body = (const uint8_t *)body,
	    .len = len,
	    .id = {"id-1", 4},
	    .key = "c/u",
	    .key_len = 3,
	    .attributes = {{"kind", "Pod", 3}},
	    .n_attributes = 1};
	amqp_connection_state_t decoder = amqp_new_connection();
	const amqp_basic_publish_t *publish;
	amqp_frame_t frame;
	struct buf out;

	for (size_t i = 0; i < len; i++)
		body[i] = (char)(i * 31);
	buf_init(&out, OUT_MAX);
	tap_ok(tap, rabbit_wire_message(&out, CHANNEL, "ex", &m, FRAME_MAX) == 0, "written");
	tap_ok(tap,
	    next_frame(decoder, &out, &frame) &&
		frame.payload.method.id == AMQP_BASIC_PUBLISH_METHOD &&
		frame.channel == CHANNEL,
	    "basic.publish");
	publish = frame.payload.method.decoded;
	tap_ok(tap,
	    same(publish->exchange, "ex") && same(publish->routing_key, "c/u") &&
		publish->mandatory && !publish->immediate,
	    "exchange, key, mandatory");
	tap_ok(tap, next_frame(decoder, &out, &frame) && has_properties(&frame, &m),
	    "persistent, with id, type and headers");
	tap_ok(tap, has_body(decoder, &out, &m), "the body in frames that are small enough");
	amqp_destroy_connection(decoder);
	buf_free(&out);
}

static void
long_texts(struct tap *tap)
{
	char text[LARGE];
	struct message m = {.id = {text, LARGE},
	    .key = text,
	    .key_len = LARGE,
	    .attributes = {{"name", text, LARGE}},
	    .n_attributes = 1};
	amqp_bytes_t b;
	struct buf out;

	memset(text, 'x', sizeof(text));
	text[LARGE - 1] = 'y';
	b = rabbit_wire_short(text, LARGE);
	tap_ok(tap, b.len == RABBIT_SHORT_MAX && ((char *)b.bytes)[RABBIT_SHORT_MAX - 1] == 'y',
	    "the end of a text that is too long stands for it");
	buf_init(&out, OUT_MAX);
	buf_addstr(&out, "before");
	errno = 0;
	tap_ok(tap,
	    rabbit_wire_message(&out, CHANNEL, "ex", &m, FRAME_MAX) == -1 && errno == EMSGSIZE,
	    "headers larger than a frame");
	tap_ok(tap, out.len == strlen("before"), "leave nothing behind");
	m.attributes[0].len = 100;
	tap_ok(tap, rabbit_wire_message(&out, CHANNEL, "ex", &m, FRAME_MAX) == 0,
	    "a long key and id alone do not hinder");
	buf_free(&out);
}

static void
small(struct tap *tap)
{
	struct buf out;

	buf_init(&out, OUT_MAX);
	tap_ok(tap,
	    rabbit_wire_hello(&out) == 0 && out.len == 8 &&
		memcmp(out.data, "AMQP\0\0\x09\x01", 8) == 0,
	    "the first word");
	out.len = 0;
	tap_ok(tap,
	    rabbit_wire_heartbeat(&out) == 0 && out.len == 8 &&
		memcmp(out.data, "\x08\0\0\0\0\0\0\xce", 8) == 0,
	    "a heartbeat");
	buf_free(&out);
}

int
main(void)
{
	struct tap tap = {0};

	small(&tap);
	message(&tap, 0);
	message(&tap, 100);
	message(&tap, FRAME_MAX - OVERHEAD);
	message(&tap, LARGE);
	long_texts(&tap);
	return tap_done(&tap);
}
