/* SPDX-License-Identifier: Apache-2.0 */
#include "rabbit_wire.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

enum {
	HEAD = 7, /* type, channel, size */
	END = 1,
	METHOD_ID = 4,
	CONTENT_HEAD = 12, /* class, weight, size of the body */
	METHOD_MAX = 65536,
	PERSISTENT = 2,
};

static void
put_16(char *to, uint16_t n)
{
	n = htobe16(n);
	memcpy(to, &n, sizeof(n));
}

static void
put_32(char *to, uint32_t n)
{
	n = htobe32(n);
	memcpy(to, &n, sizeof(n));
}

static void
put_64(char *to, uint64_t n)
{
	n = htobe64(n);
	memcpy(to, &n, sizeof(n));
}

int
rabbit_wire_hello(struct buf *out)
{
	return buf_add(out, "AMQP\0\0\x09\x01", 8);
}

static int
does_not_fit(void)
{
	errno = EMSGSIZE;
	return -1;
}

/* Puts head and end around the n bytes that stand HEAD bytes behind the buffer's end, where
 * room for all was reserved. */
static void
frame(struct buf *out, uint8_t type, uint16_t channel, size_t n)
{
	char *to = out->data + out->len;

	to[0] = (char)type;
	put_16(to + 1, channel);
	put_32(to + 3, (uint32_t)n);
	to[HEAD + n] = (char)AMQP_FRAME_END;
	out->len += HEAD + n + END;
}

int
rabbit_wire_heartbeat(struct buf *out)
{
	if (buf_reserve(out, HEAD + END) == NULL)
		return -1;
	frame(out, AMQP_FRAME_HEARTBEAT, 0, 0);
	return 0;
}

int
rabbit_wire_method(struct buf *out, uint16_t channel, amqp_method_number_t id, void *fields)
{
	char *to = buf_reserve(out, METHOD_MAX);
	amqp_bytes_t room = {.len = METHOD_MAX - HEAD - METHOD_ID - END};
	int n;

	if (to == NULL)
		return -1;
	put_32(to + HEAD, id);
	room.bytes = to + HEAD + METHOD_ID;
	n = amqp_encode_method(id, fields, room);
	if (n < 0)
		return does_not_fit();
	frame(out, AMQP_FRAME_METHOD, channel, METHOD_ID + (size_t)n);
	return 0;
}

/* rabbitmq-c's bytes are not const, and it does not change them. */
static amqp_bytes_t
bytes(const void *p, size_t len)
{
	amqp_bytes_t b = {.len = len};

	memcpy(&b.bytes, &p, sizeof(p));
	return b;
}

amqp_bytes_t
rabbit_wire_short(const char *p, size_t len)
{
	size_t over = len > RABBIT_SHORT_MAX ? len - RABBIT_SHORT_MAX : 0;

	return bytes(p + over, len - over);
}

static int
add_properties(struct buf *out, uint16_t channel, const struct message *m, size_t frame_max)
{
	amqp_table_entry_t headers[ATTRIBUTES_MAX];
	amqp_basic_properties_t properties = {
	    ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
		      AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG,
	    .content_type = amqp_cstring_bytes("application/x-protobuf"),
	    .delivery_mode = PERSISTENT,
	    .headers = {.num_entries = (int)m->n_attributes, .entries = headers},
	    .message_id = rabbit_wire_short(m->id.p, m->id.len),
	};
	amqp_bytes_t room = {.len = frame_max - HEAD - CONTENT_HEAD - END};
	char *to = buf_reserve(out, frame_max);
	int n;

	if (to == NULL)
		return -1;
	for (size_t i = 0; i < m->n_attributes; i++) {
		const struct attribute *a = &m->attributes[i];

		headers[i] = (amqp_table_entry_t){.key = amqp_cstring_bytes(a->name),
		    .value = {
			.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = bytes(a->value, a->len)}};
	}
	put_16(to + HEAD, AMQP_BASIC_CLASS);
	put_16(to + HEAD + 2, 0);
	put_64(to + HEAD + 4, m->len);
	room.bytes = to + HEAD + CONTENT_HEAD;
	n = amqp_encode_properties(AMQP_BASIC_CLASS, &properties, room);
	if (n < 0)
		return does_not_fit();
	frame(out, AMQP_FRAME_HEADER, channel, CONTENT_HEAD + (size_t)n);
	return 0;
}

static int
add_body(struct buf *out, uint16_t channel, const struct message *m, size_t frame_max)
{
	const size_t piece = frame_max - HEAD - END;

	for (size_t at = 0; at < m->len; at += piece) {
		size_t n = m->len - at < piece ? m->len - at : piece;
		char *to = buf_reserve(out, HEAD + n + END);

		if (to == NULL)
			return -1;
		memcpy(to + HEAD, m->body + at, n);
		frame(out, AMQP_FRAME_BODY, channel, n);
	}
	return 0;
}

int
rabbit_wire_message(struct buf *out, uint16_t channel, const char *exchange,
    const struct message *m, size_t frame_max)
{
	const size_t len = out->len;
	amqp_basic_publish_t publish = {
	    .exchange = amqp_cstring_bytes(exchange),
	    .routing_key = rabbit_wire_short(m->key, m->key_len),
	    .mandatory = 1,
	};

	if (rabbit_wire_method(out, channel, AMQP_BASIC_PUBLISH_METHOD, &publish) == -1 ||
	    add_properties(out, channel, m, frame_max) == -1 ||
	    add_body(out, channel, m, frame_max) == -1) {
		out->len = len;
		return -1;
	}
	return 0;
}
