/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "wire.h"

/* Field numbers of the Envelope and of google.protobuf.Any. */
enum { ENVELOPE_SEQ = 16 };

/* What is no text of its own, but holds fields. */
struct parts {
	struct text payload;
	struct text reference;
	struct text type_url;
	struct text value;
};

/* A length-delimited field that is wanted, and where it goes. */
struct wanted {
	uint64_t number;
	struct text *to;
};

/* Walks over all fields and keeps those that are wanted (the last, where one comes twice). seq:
 * where the Envelope's number goes, or NULL. */
static int
walk(struct text from, const struct wanted *wanted, size_t n, uint64_t *seq)
{
	const uint8_t *p = (const uint8_t *)from.p;
	const uint8_t *end;
	struct wire_field f;

	if (p == NULL) /* an absent message holds nothing */
		return 0;
	end = p + from.len;
	while (p < end) {
		if (wire_next(&p, end, &f) == -1)
			return -1;
		if (seq != NULL && f.number == ENVELOPE_SEQ && f.type == WIRE_VARINT)
			*seq = f.n;
		for (size_t i = 0; i < n; i++) {
			if (f.number != wanted[i].number)
				continue;
			if (f.type != WIRE_LEN)
				return -1;
			*wanted[i].to = (struct text){(const char *)f.p, f.len};
		}
	}
	return 0;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int
read_envelope(struct message *m, struct parts *parts)
{
	const struct wanted wanted[] = {
	    {1, &m->id}, {4, &parts->payload}, {18, &parts->reference}, {19, &m->traceparent}};
	struct text body = {(const char *)m->body, m->len};

	return walk(body, wanted, COUNT(wanted), &m->seq);
}

static int
read_any(struct message *m, struct parts *parts)
{
	const struct wanted wanted[] = {{1, &parts->type_url}, {2, &parts->value}};
	const char *slash;

	if (walk(parts->payload, wanted, COUNT(wanted), NULL) == -1 || parts->type_url.len == 0)
		return -1;
	slash = memrchr(parts->type_url.p, '/', parts->type_url.len);
	m->type = parts->type_url;
	if (slash != NULL) {
		m->type.p = slash + 1;
		m->type.len = parts->type_url.len - (size_t)(m->type.p - parts->type_url.p);
	}
	return m->type.len > 0 ? 0 : -1;
}

static int
read_reference(struct message *m, struct parts *parts)
{
	const struct wanted wanted[] = {
	    {1, &m->group}, {2, &m->version}, {3, &m->kind}, {4, &m->ns}, {5, &m->name}};

	return walk(parts->reference, wanted, COUNT(wanted), NULL);
}

static bool
text_is(struct text text, const char *wanted)
{
	return text.len == strlen(wanted) && memcmp(text.p, wanted, text.len) == 0;
}

/* The uid and the cluster's id, whose numbers differ by type. Payloads of another type are not
 * looked into. */
static int
read_event(struct message *m, struct parts *parts)
{
	static const struct {
		const char *type;
		unsigned cluster_id;
	} events[] = {
	    {"kollect.resource.event.v1.ResourceUpdatedEvent", 4},
	    {"kollect.resource.event.v1.ResourceCreatedEvent", 3},
	    {"kollect.resource.event.v1.ResourceDeletedEvent", 2},
	    {"kollect.resource.event.v1.Gap", 5},
	};

	for (size_t i = 0; i < COUNT(events); i++) {
		if (text_is(m->type, events[i].type)) {
			bool gap = i == COUNT(events) - 1;
			const struct wanted wanted[] = {
			    {1, gap ? &m->stream : &m->uid},
			    {events[i].cluster_id, &m->cluster_id},
			};

			return walk(parts->value, wanted, COUNT(wanted), NULL);
		}
	}
	return 0;
}

/* No control character, by which a header could be ended and another begun. */
static bool
fit_for_header(struct text text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return false;
	return text.len == 0 || json_utf8_valid(text.p, text.len);
}

enum { TEXTS = 11 };

/* All that are borrowed from the body. */
static void
texts_of(struct message *m, struct text *texts[TEXTS])
{
	struct text *const all[TEXTS] = {&m->id, &m->type, &m->cluster_id, &m->uid, &m->stream,
	    &m->group, &m->version, &m->kind, &m->ns, &m->name, &m->traceparent};

	memcpy(texts, all, sizeof(all));
}

int
message_read(struct message *m, const uint8_t *body, size_t len, const char **why)
{
	struct parts parts = {.payload = {NULL, 0}};
	struct text *texts[TEXTS];

	*m = (struct message){.body = body, .len = len};
	*why = "is no kollect.event.v1.Envelope";
	if (read_envelope(m, &parts) == -1 || m->id.len == 0 || read_any(m, &parts) == -1 ||
	    read_reference(m, &parts) == -1 || read_event(m, &parts) == -1)
		return -1;
	*why = "has a name that is not UTF-8 or holds control characters";
	texts_of(m, texts);
	for (size_t i = 0; i < TEXTS; i++)
		if (!fit_for_header(*texts[i]))
			return -1;
	return 0;
}

/* Appends to the strings at *to; they end in a NUL by string_end. */
static void
string_add(char **to, struct text text)
{
	if (text.len > 0)
		memcpy(*to, text.p, text.len);
	*to += text.len;
}

static void
string_end(char **to)
{
	*(*to)++ = '\0';
}

static void
attribute_add(struct message *m, const char *name, const char *value, const char *end)
{
	if (end > value)
		m->attributes[m->n_attributes++] =
		    (struct attribute){name, value, (size_t)(end - value)};
}

static void
attribute_text(struct message *m, char **to, const char *name, struct text text)
{
	char *value = *to;

	string_add(to, text);
	attribute_add(m, name, value, *to);
	string_end(to);
}

static void
make_key(struct message *m, char **to)
{
	struct text what = m->uid.len > 0 ? m->uid : m->stream;

	m->key = *to;
	if (what.len == 0) {
		string_add(to, m->id);
	} else {
		string_add(to, m->cluster_id);
		string_add(to, (struct text){"/", 1});
		string_add(to, what);
	}
	m->key_len = (size_t)(*to - m->key);
	string_end(to);
}

static void
make_attributes(struct message *m, char **to)
{
	char *value;

	m->n_attributes = 0;
	attribute_text(m, to, "id", m->id);
	attribute_text(m, to, "type", m->type);
	attribute_text(m, to, "cluster_id", m->cluster_id);
	value = *to;
	string_add(to, m->group);
	if (m->group.len > 0)
		string_add(to, (struct text){"/", 1});
	string_add(to, m->version);
	attribute_add(m, "api_version", value, *to);
	string_end(to);
	attribute_text(m, to, "kind", m->kind);
	attribute_text(m, to, "namespace", m->ns);
	attribute_text(m, to, "name", m->name);
	attribute_text(m, to, "traceparent", m->traceparent);
}

/* Bytes that key and attributes take at most: each text once or (those of the key) twice, and
 * what stands between and behind them. */
static size_t
strings_size(const struct message *m)
{
	return 2 * (m->id.len + m->cluster_id.len + m->uid.len + m->stream.len) + m->type.len +
	       m->group.len + m->version.len + m->kind.len + m->ns.len + m->name.len +
	       m->traceparent.len + ATTRIBUTES_MAX + 4;
}

int
message_keep(struct message *m)
{
	char *memory = malloc(m->len + strings_size(m));
	const char *body = (const char *)m->body;
	struct text *texts[TEXTS];
	char *to;

	if (memory == NULL)
		return -1;
	memcpy(memory, m->body, m->len);
	texts_of(m, texts);
	for (size_t i = 0; i < TEXTS; i++)
		if (texts[i]->p != NULL)
			texts[i]->p = memory + (texts[i]->p - body);
	m->body = (const uint8_t *)memory;
	m->memory = memory;
	to = memory + m->len;
	make_key(m, &to);
	make_attributes(m, &to);
	return 0;
}

void
message_free(struct message *m)
{
	free(m->memory);
	free(m->smaller);
	m->memory = NULL;
	m->smaller = NULL;
	m->body = NULL;
	m->n_attributes = 0;
}

struct text
message_whole(const struct message *m)
{
	if (m->smaller != NULL)
		return m->whole;
	return (struct text){(const char *)m->body, m->len};
}

size_t
message_cost(const struct message *m)
{
	return message_whole(m).len + strings_size(m) + (m->smaller != NULL ? m->len : 0);
}
