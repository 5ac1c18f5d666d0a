/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <stddef.h>
#include <string.h>

#include "timefmt.h"

/* In the order in which kdiff writes them: the next member is most likely the next name. */
enum member {
	SEQ,
	TYPE,
	UID,
	API_VERSION,
	KIND,
	NAMESPACE,
	NAME,
	RESOURCE_VERSION,
	APPLIES_AT,
	OBSERVED_AT,
	MANAGER,
	COLLAPSED,
	THEN_BYTES,
	NOW_BYTES,
	THEN,
	NOW,
	STREAM,
	FROM,
	TO,
	REASON,
	MEMBERS,
};

/* text: where in a struct record the string goes; 0: it is no string that is taken as it is. */
static const struct {
	const char *name;
	size_t len;
	size_t text;
} members[MEMBERS] = {
#define MEMBER(name)                      \
	{                                 \
		name, sizeof(name) - 1, 0 \
	}
#define TEXT(name, field)                                              \
	{                                                              \
		name, sizeof(name) - 1, offsetof(struct record, field) \
	}
    [SEQ] = MEMBER("seq"),
    [TYPE] = MEMBER("type"),
    [UID] = TEXT("uid", uid),
    [API_VERSION] = TEXT("apiVersion", api_version),
    [KIND] = TEXT("kind", kind),
    [NAMESPACE] = TEXT("namespace", ns),
    [NAME] = TEXT("name", name),
    [RESOURCE_VERSION] = TEXT("resourceVersion", resource_version),
    [APPLIES_AT] = MEMBER("appliesAt"),
    [OBSERVED_AT] = MEMBER("observedAt"),
    [MANAGER] = TEXT("manager", manager),
    [COLLAPSED] = MEMBER("collapsed"),
    [THEN_BYTES] = MEMBER("thenBytes"),
    [NOW_BYTES] = MEMBER("nowBytes"),
    [THEN] = MEMBER("then"),
    [NOW] = MEMBER("now"),
    [STREAM] = TEXT("stream", stream),
    [FROM] = TEXT("from", from),
    [TO] = TEXT("to", to),
    [REASON] = TEXT("reason", reason),
#undef MEMBER
#undef TEXT
};

static const char *const type_names[RECORD_TYPES] = {"created", "updated", "deleted", "gap"};

/* A walk over one line. */
struct reader {
	struct json j;
	struct record *record;
	bool splice; /* take the objects by their lengths */
	uint64_t then_bytes;
	uint64_t now_bytes;
	unsigned seen; /* bits by enum member */
};

const char *
record_type_name(enum record_type type)
{
	return type_names[type];
}

/* Which member the key is, tried from the one expected on; MEMBERS: none that is known. */
static enum member
member_of(const struct json_str *key, unsigned expected)
{
	for (unsigned i = 0; i < MEMBERS; i++) {
		unsigned m = (expected + i) % MEMBERS;

		if (key->len == members[m].len &&
		    memcmp(key->p, members[m].name, key->len) == 0)
			return (enum member)m;
	}
	for (unsigned m = 0; key->escaped && m < MEMBERS; m++)
		if (json_str_is(key, members[m].name))
			return (enum member)m;
	return MEMBERS;
}

static void
read_number(struct json *j, uint64_t *n)
{
	struct json_range range;
	uint64_t value = 0;

	if (json_skip(j, &range) == -1)
		return;
	for (size_t i = 0; i < range.len; i++) {
		unsigned digit = (unsigned char)range.p[i] - (unsigned)'0';

		if (digit > 9 || value > (UINT64_MAX - digit) / 10) {
			json_fail(j, "expected a whole number");
			return;
		}
		value = value * 10 + digit;
	}
	*n = value;
}

/* A string that may stand where a C string goes: without a NUL. */
static void
read_text(struct json *j, struct json_str *text)
{
	static const char nul[] = "\\u0000";

	if (json_string(j, text) == 0 && text->escaped &&
	    memmem(text->p, text->len, nul, sizeof(nul) - 1) != NULL)
		json_fail(j, "a NUL in a string");
}

static void
read_time(struct json *j, struct timespec *t, struct json_str *text)
{
	if (json_string(j, text) == 0 && timefmt_parse(text->p, text->len, t) == -1)
		json_fail(j, "expected an RFC 3339 time");
}

static void
read_type(struct json *j, enum record_type *type)
{
	struct json_str text;

	if (json_string(j, &text) == -1)
		return;
	for (int i = 0; i < RECORD_TYPES; i++) {
		if (json_str_is(&text, type_names[i])) {
			*type = (enum record_type)i;
			return;
		}
	}
	json_fail(j, "the type is none of created, updated, deleted, gap");
}

/* An object of so many bytes, where it begins and ends as an object does and something that
 * can follow it follows. */
static void
read_object(struct reader *r, uint64_t bytes, struct json_range *range)
{
	struct json *j = &r->j;

	if (json_peek(j) != '{') {
		json_fail(j, "expected an object");
	} else if (!r->splice || bytes == 0) {
		json_skip(j, range);
	} else if (bytes < 2 || bytes >= (uint64_t)(j->end - j->p) || j->p[bytes - 1] != '}' ||
		   (j->p[bytes] != ',' && j->p[bytes] != '}')) {
		json_fail(j, "the object has another length");
	} else {
		*range = (struct json_range){j->p, (size_t)bytes};
		j->p += bytes;
	}
}

static void
read_member(struct reader *r, enum member m)
{
	struct record *record = r->record;
	struct json *j = &r->j;
	struct json_str text;

	switch (m) {
	case SEQ:
		read_number(j, &record->seq);
		break;
	case TYPE:
		read_type(j, &record->type);
		break;
	case APPLIES_AT:
		read_time(j, &record->applies_at, &text);
		break;
	case OBSERVED_AT:
		read_time(j, &record->observed_at, &record->observed_text);
		break;
	case COLLAPSED:
		read_number(j, &record->collapsed);
		break;
	case THEN_BYTES:
		read_number(j, &r->then_bytes);
		break;
	case NOW_BYTES:
		read_number(j, &r->now_bytes);
		break;
	case THEN:
		read_object(r, r->then_bytes, &record->then);
		break;
	case NOW:
		read_object(r, r->now_bytes, &record->now);
		break;
	case MEMBERS:
		json_skip(j, NULL);
		return;
	default:
		read_text(j, (struct json_str *)(void *)((char *)record + members[m].text));
		break;
	}
	if (r->seen & 1U << m)
		json_fail(j, "a member stands there twice");
	r->seen |= 1U << m;
}

/* What a record of its type must have, and of then and now what it may have. */
static const char *
incomplete(const struct reader *r)
{
	static const unsigned objects[RECORD_TYPES] = {
	    [RECORD_CREATED] = 1U << NOW,
	    [RECORD_UPDATED] = 1U << THEN | 1U << NOW,
	    [RECORD_DELETED] = 1U << THEN,
	};
	static const struct {
		enum member member;
		bool of_gap;
		bool of_change;
		const char *why;
	} required[] = {
	    {TYPE, true, true, "has no type"},
	    {UID, false, true, "has no uid"},
	    {API_VERSION, false, true, "has no apiVersion"},
	    {KIND, false, true, "has no kind"},
	    {NAME, false, true, "has no name"},
	    {RESOURCE_VERSION, false, true, "has no resourceVersion"},
	    {APPLIES_AT, false, true, "has no appliesAt"},
	    {OBSERVED_AT, true, true, "has no observedAt"},
	    {STREAM, true, false, "has no stream"},
	    {REASON, true, false, "has no reason"},
	};
	bool gap = r->record->type == RECORD_GAP;
	unsigned has = r->seen & (1U << THEN | 1U << NOW);

	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++)
		if ((gap ? required[i].of_gap : required[i].of_change) &&
		    !(r->seen & 1U << required[i].member))
			return required[i].why;
	if (!gap && r->record->uid.len == 0)
		return "has no uid";
	if (has != objects[r->record->type])
		return "has not the then and now of its type";
	return NULL;
}

static int
walk(struct reader *r, const char *line, size_t len)
{
	struct json_str key;
	unsigned expected = 0;
	const char *why;

	*r->record = (struct record){.seq = 0};
	json_init(&r->j, line, len);
	json_enter(&r->j, '{');
	while (json_member(&r->j, &key) == 1) {
		enum member m = member_of(&key, expected);

		read_member(r, m);
		expected = m + 1;
	}
	if (json_end(&r->j) == -1)
		return -1;
	why = incomplete(r);
	if (r->record->type == RECORD_GAP)
		r->record->applies_at = r->record->observed_at;
	return why == NULL ? 0 : json_fail(&r->j, why);
}

int
record_read(const char *line, size_t len, struct record *record, const char **why, size_t *at)
{
	struct reader r = {.record = record, .splice = true};

	if (walk(&r, line, len) == 0)
		return 0;
	r = (struct reader){.record = record};
	if (walk(&r, line, len) == 0)
		return 0;
	*why = r.j.error;
	*at = (size_t)(r.j.p - line);
	return -1;
}
