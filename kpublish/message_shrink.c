/* SPDX-License-Identifier: Apache-2.0 */
/* The Envelope is copied field by field; on the way to the states, which are three messages
 * deep, each length is written when what it counts is there. Of a state, members are left out
 * and all others keep their bytes. A form is always made of the whole, so that it does not
 * depend on what was tried before. */
#include "message_shrink.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "json.h"
#include "wire.h"

enum { ENVELOPE_PAYLOAD = 4, ENVELOPE_SHRUNK = 20, ANY_VALUE = 2 };

/* The messages on the way to a state, from the outside. */
enum layer { ENVELOPE, ANY, EVENT };

/* By how much the copy can be ahead of what it was made of: a length that is not written yet for
 * each layer, and the field that it has more. */
enum { SLACK = 4 * FRAME_HEADER_MAX };

/* Where an event has its states; 0: it has no such one. */
struct states {
	const char *type;
	uint64_t then;
	uint64_t now;
};

struct shrink {
	const struct states *states;
	enum shrunk form;
	uint8_t *out;
	size_t len;
	size_t room; /* enough for all that is put there */
};

/* What the members that are looked at belong to. */
enum part { STATE, REDUCED_STATE, METADATA };

enum fate { COPY, LEAVE_OUT, LOOK_INTO };

static const struct states *
states_of(struct text type)
{
	static const struct states table[] = {
	    {"kollect.resource.event.v1.ResourceCreatedEvent", 0, 2},
	    {"kollect.resource.event.v1.ResourceUpdatedEvent", 2, 3},
	    {"kollect.resource.event.v1.ResourceDeletedEvent", 16, 0},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strlen(table[i].type) == type.len &&
		    memcmp(table[i].type, type.p, type.len) == 0)
			return &table[i];
	return NULL;
}

static void
put(struct shrink *s, const void *bytes, size_t n)
{
	assert(n <= s->room - s->len);
	if (n > 0)
		memcpy(s->out + s->len, bytes, n);
	s->len += n;
}

static void
put_varint(struct shrink *s, uint64_t n)
{
	uint8_t bytes[FRAME_HEADER_MAX];

	put(s, bytes, frame_header(n, bytes));
}

/* A tag, and where the field's bytes begin; field_end puts their length before them. */
static size_t
field_begin(struct shrink *s, uint64_t number)
{
	put_varint(s, number << 3 | WIRE_LEN);
	return s->len;
}

static void
field_end(struct shrink *s, size_t begin)
{
	uint8_t length[FRAME_HEADER_MAX];
	size_t len = s->len - begin;
	size_t n = frame_header(len, length);
	uint8_t *at = s->out + begin;

	assert(n <= s->room - s->len);
	memmove(at + n, at, len);
	memcpy(at, length, n);
	s->len += n;
}

static enum fate
fate_of(const struct shrink *s, enum part part, const struct json_str *key)
{
	bool metadata = part != METADATA && json_str_is(key, "metadata");

	if (part == METADATA)
		return json_str_is(key, "managedFields") ? LEAVE_OUT : COPY;
	if (part == REDUCED_STATE && !metadata && !json_str_is(key, "apiVersion") &&
	    !json_str_is(key, "kind"))
		return LEAVE_OUT;
	return metadata && s->form >= SHRUNK_MANAGED_FIELDS ? LOOK_INTO : COPY;
}

/* Copies the object that comes next without what is to be left out. An error stays in j. */
static void
copy_object(struct shrink *s, struct json *j, enum part part)
{
	struct json_str key;
	const char *comma = "";

	json_enter(j, '{');
	put(s, "{", 1);
	while (json_member(j, &key) == 1) {
		const char *begin = key.p - 1;
		enum fate fate = fate_of(s, part, &key);

		if (fate == LOOK_INTO && json_peek(j) == '{') {
			put(s, comma, strlen(comma));
			put(s, begin, (size_t)(j->p - begin));
			copy_object(s, j, METADATA);
			comma = ",";
		} else if (json_skip(j, NULL) == 0 && fate != LEAVE_OUT) {
			put(s, comma, strlen(comma));
			put(s, begin, (size_t)(j->p - begin));
			comma = ",";
		}
	}
	put(s, "}", 1);
}

/* -1: it is no JSON object. */
static int
copy_state(struct shrink *s, const struct wire_field *f)
{
	struct json j;

	json_init(&j, (const char *)f->p, f->len);
	copy_object(s, &j, f->number == s->states->then ? REDUCED_STATE : STATE);
	return json_end(&j);
}

/* Is it the field through which the way to the states goes, or one of those that this form
 * changes? One that is empty is as good as absent. */
static bool
leads_on(const struct shrink *s, enum layer layer, const struct wire_field *f)
{
	if (f->type != WIRE_LEN || f->len == 0)
		return false;
	switch (layer) {
	case ENVELOPE:
		return f->number == ENVELOPE_PAYLOAD;
	case ANY:
		return f->number == ANY_VALUE;
	default:
		return f->number == s->states->then ||
		       (f->number == s->states->now && s->form >= SHRUNK_MANAGED_FIELDS);
	}
}

/* -1: this cannot be made smaller. */
static int
copy_fields(struct shrink *s, enum layer layer, const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len;
	struct wire_field f;

	while (p < end) {
		size_t begin;
		int result;

		if (wire_next(&p, end, &f) == -1)
			return -1;
		if (layer == ENVELOPE && f.number == ENVELOPE_SHRUNK)
			continue; /* of someone before us */
		if (!leads_on(s, layer, &f)) {
			put(s, f.begin, (size_t)(p - f.begin));
			continue;
		}
		begin = field_begin(s, f.number);
		result =
		    layer == EVENT ? copy_state(s, &f) : copy_fields(s, layer + 1, f.p, f.len);
		if (result == -1)
			return -1;
		field_end(s, begin);
	}
	return 0;
}

/* The whole message in this form. 0, or -1: it has none. */
static int
copy_envelope(struct shrink *s, struct text whole)
{
	s->len = 0;
	if (copy_fields(s, ENVELOPE, (const uint8_t *)whole.p, whole.len) == -1)
		return -1;
	put_varint(s, ENVELOPE_SHRUNK << 3 | WIRE_VARINT);
	put_varint(s, s->form);
	return 0;
}

/* The copy becomes the body. */
static void
take(struct message *m, struct shrink *s)
{
	uint8_t *fitting = realloc(s->out, s->len);

	if (fitting != NULL)
		s->out = fitting;
	m->whole = message_whole(m);
	free(m->smaller);
	m->smaller = s->out;
	m->body = s->out;
	m->len = s->len;
	m->shrunk = s->form;
}

int
message_shrink(struct message *m)
{
	struct text whole = message_whole(m);
	struct shrink s = {.states = states_of(m->type), .room = whole.len + SLACK};

	if (s.states == NULL)
		return 0;
	s.out = malloc(s.room);
	if (s.out == NULL)
		return -1;
	for (s.form = m->shrunk + 1; s.form <= SHRUNK_MANAGED_FIELDS; s.form++) {
		if (copy_envelope(&s, whole) == -1)
			break;
		if (s.len < m->len) {
			take(m, &s);
			return 1;
		}
	}
	free(s.out);
	return 0;
}
