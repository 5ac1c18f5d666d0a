/* SPDX-License-Identifier: Apache-2.0 */
/* What event_scan hands out agrees with what a real parser (libjq's) finds; and what event_scan
 * accepts and a parser does not, differs only within values that were skipped, as json.h says.
 */
#include <jv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The name is the sanitizer's: NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl*) */
const char *__lsan_default_suppressions(void);

/* libjq 1.6 loses some values of texts that it refuses. Our own leaks are still found. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:jv_mem_alloc\n";
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl*) */

/* libjq 1.6 takes no more levels than this; others take more. */
enum { PARSER_DEPTH = 250 };

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* Walks all of text, skipping no container: must agree with a parser on what is JSON. *deepest:
 * how many levels it has. */
static bool
walk(const char *text, size_t len, size_t *deepest)
{
	static char kinds[2 * JSON_DEPTH];
	struct json_str key;
	size_t depth = 0;
	struct json j;
	int more;

	*deepest = 0;
	json_init(&j, text, len);
	for (;;) {
		char c = json_peek(&j);

		if (c == '{' || c == '[') {
			if (depth == sizeof(kinds))
				return false;
			json_enter(&j, c);
			kinds[depth++] = c;
			if (depth > *deepest)
				*deepest = depth;
		} else if (json_skip(&j, NULL) == -1) {
			return false;
		}
		do {
			if (depth == 0)
				return json_end(&j) == 0;
			more =
			    kinds[depth - 1] == '{' ? json_member(&j, &key) : json_element(&j);
			depth -= more == 0;
		} while (more == 0);
		if (more == -1)
			return false;
	}
}

/* The escape of a high surrogate: one that no low one follows is an error to libjq 1.6, though
 * not to the standard (RFC 8259, 8.2) and to the API server. */
static bool
has_surrogate(const char *text, size_t len)
{
	for (size_t i = 0; i + 3 < len; i++) {
		if (text[i] == '\\' && text[i + 1] == 'u' && (text[i + 2] | 0x20) == 'd' &&
		    strchr("89abAB", text[i + 3]) != NULL)
			return true;
	}
	return false;
}

/* The string that we hand out is the parser's; absent is null to it. Takes value. */
static void
check_string(const struct json_str *str, jv value)
{
	char *plain;
	size_t len;

	if (str->p == NULL) {
		CHECK(jv_get_kind(value) == JV_KIND_NULL ||
		      jv_get_kind(value) == JV_KIND_INVALID);
		jv_free(value);
		return;
	}
	CHECK(jv_get_kind(value) == JV_KIND_STRING);
	plain = malloc(str->len + 1);
	CHECK(plain != NULL);
	len = json_unescape(str, plain);
	CHECK(len <= str->len);
	CHECK(len == (size_t)jv_string_length_bytes(jv_copy(value)));
	CHECK(memcmp(plain, jv_string_value(value), len) == 0);
	CHECK(str->escaped == (memchr(str->p, '\\', str->len) != NULL));
	free(plain);
	jv_free(value);
}

/* The range, parsed alone, is the parser's value. Takes value. */
static void
check_range(struct json_range range, jv value)
{
	jv mine;
	jv theirs;

	if (range.p == NULL) {
		jv_free(value);
		return;
	}
	mine = jv_parse_sized(range.p, (int)range.len);
	CHECK(jv_is_valid(mine));
	/* Printed, as no two NaN are equal (and libjq takes nan where we skip). */
	mine = jv_dump_string(mine, JV_PRINT_SORTED);
	theirs = jv_dump_string(value, JV_PRINT_SORTED);
	CHECK(jv_equal(mine, theirs));
}

static jv
member(jv object, const char *name)
{
	return jv_object_get(jv_copy(object), jv_string(name));
}

static jv_kind
member_kind(jv object, const char *name)
{
	jv value = member(object, name);
	jv_kind kind = jv_get_kind(value);

	jv_free(value);
	return kind;
}

/* Takes object. */
static void
check_object(const struct object *o, jv object)
{
	jv meta = member(object, "metadata");
	struct json_str value = {.p = NULL};

	CHECK(jv_get_kind(object) == JV_KIND_OBJECT);
	check_string(&o->kind, member(object, "kind"));
	check_string(&o->api_version, member(object, "apiVersion"));
	CHECK((o->items.p != NULL) == (member_kind(object, "items") == JV_KIND_ARRAY));
	check_range(o->items, member(object, "items"));
	if (jv_get_kind(meta) != JV_KIND_OBJECT) {
		CHECK(o->uid.p == NULL && o->name.p == NULL && o->resource_version.p == NULL);
		jv_free(meta);
		jv_free(object);
		return;
	}
	check_string(&o->uid, member(meta, "uid"));
	check_string(&o->name, member(meta, "name"));
	check_string(&o->ns, member(meta, "namespace"));
	check_string(&o->resource_version, member(meta, "resourceVersion"));
	check_string(&o->creation, member(meta, "creationTimestamp"));
	check_string(&o->deletion, member(meta, "deletionTimestamp"));
	CHECK((o->managed_fields.p != NULL) ==
	      (member_kind(meta, "managedFields") == JV_KIND_ARRAY));
	check_range(o->managed_fields, member(meta, "managedFields"));
	CHECK(
	    (o->annotations.p != NULL) == (member_kind(meta, "annotations") == JV_KIND_OBJECT));
	check_range(o->annotations, member(meta, "annotations"));
	if (object_annotation(o, "kollect/stream", &value))
		check_string(&value,
		    jv_object_get(member(meta, "annotations"), jv_string("kollect/stream")));
	jv_free(meta);
	jv_free(object);
}

/* Takes parsed. */
static void
check_event(const struct event *event, jv parsed)
{
	jv type = member(parsed, "type");
	jv object = member(parsed, "object");

	CHECK(jv_get_kind(type) == JV_KIND_STRING &&
	      strcmp(jv_string_value(type), event_type_name(event->type)) == 0);
	check_object(&event->object, jv_copy(object));
	check_range(event->object.bytes, object);
	jv_free(type);
	jv_free(parsed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct event event;
	const char *why = NULL;
	size_t deepest;
	bool strict;
	size_t at;
	jv parsed;
	int taken;

	strict = walk(text, size, &deepest);
	taken = event_scan(text, size, &event, &why, &at);
	CHECK(taken == 0 || (why != NULL && at <= size));
	if (deepest > PARSER_DEPTH)
		return 0;
	parsed = jv_parse_sized(text, (int)size);
	if (!jv_is_valid(parsed))
		CHECK(!strict || has_surrogate(text, size));
	else if (taken == 0)
		check_event(&event, jv_copy(parsed));
	jv_free(parsed);
	return 0;
}
