/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <string.h>

/* The members' names, separators and numbers of one record come to less than this. */
enum { FIXED_MAX = 400 };

static char *
put(char *to, const char *bytes, size_t n)
{
	memcpy(to, bytes, n);
	return to + n;
}

static char *
put_text(char *to, const char *text)
{
	return put(to, text, strlen(text));
}

static char *
put_number(char *to, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return put(to, digits + i, sizeof(digits) - i);
}

/* ,"name":"value", or nothing when it is absent. */
static char *
put_member(char *to, const char *name, const struct json_str *value)
{
	if (value->p == NULL)
		return to;
	to = put_text(to, ",\"");
	to = put_text(to, name);
	to = put_text(to, "\":\"");
	to = put(to, value->p, value->len);
	return put_text(to, "\"");
}

static char *
put_length(char *to, const char *name, struct bytes value)
{
	if (value.p == NULL)
		return to;
	to = put_text(to, ",\"");
	to = put_text(to, name);
	to = put_text(to, "Bytes\":");
	return put_number(to, value.len);
}

static char *
put_object(char *to, const char *name, struct bytes value)
{
	if (value.p == NULL)
		return to;
	to = put_text(to, ",\"");
	to = put_text(to, name);
	to = put_text(to, "\":");
	return put(to, value.p, value.len);
}

int
record_small(const struct record *r, struct buf *out)
{
	struct json_str observed = {.p = r->observed_at, .len = strlen(r->observed_at)};
	size_t max = FIXED_MAX + r->uid.len + r->api_version.len + r->kind.len + r->ns.len +
		     r->name.len + r->resource_version.len + r->applies_at.len +
		     2 * observed.len + r->manager.len;
	char *begin = buf_reserve(out, max);
	char *to = begin;

	if (to == NULL)
		return -1;
	to = put_member(to, "uid", &r->uid);
	to = put_member(to, "apiVersion", &r->api_version);
	to = put_member(to, "kind", &r->kind);
	to = put_member(to, "namespace", &r->ns);
	to = put_member(to, "name", &r->name);
	to = put_member(to, "resourceVersion", &r->resource_version);
	to = put_member(to, "appliesAt", r->applies_at.p != NULL ? &r->applies_at : &observed);
	to = put_member(to, "observedAt", &observed);
	to = put_member(to, "manager", &r->manager);
	out->len += (size_t)(to - begin);
	return 0;
}

int
record_small_gap(const struct gap *g, struct buf *out)
{
	const struct {
		const char *name;
		struct bytes value;
	} members[] = {
	    {"stream", g->stream},
	    {"from", g->from},
	    {"to", g->to},
	    {"reason", g->reason},
	    {"observedAt", {g->observed_at, strlen(g->observed_at)}},
	};
	char *to;

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		struct json_str value = {
		    .p = members[i].value.len > 0 ? members[i].value.p : "",
		    .len = members[i].value.len};
		char *begin = buf_reserve(out, FIXED_MAX + value.len);

		if (begin == NULL)
			return -1;
		to = put_member(begin, members[i].name, &value);
		out->len += (size_t)(to - begin);
	}
	return 0;
}

int
record_line(const struct record_line *line, struct buf *out)
{
	static const char *const types[RECORD_TYPES] = {"created", "updated", "deleted", "gap"};
	char *begin =
	    buf_reserve(out, FIXED_MAX + line->small.len + line->then.len + line->now.len);
	char *to = begin;

	if (to == NULL)
		return -1;
	to = put_text(to, "{\"seq\":");
	to = put_number(to, line->seq);
	to = put_text(to, ",\"type\":\"");
	to = put_text(to, types[line->type]);
	to = put_text(to, "\"");
	to = put(to, line->small.p, line->small.len);
	if (line->collapsed > 0) {
		to = put_text(to, ",\"collapsed\":");
		to = put_number(to, line->collapsed);
	}
	to = put_length(to, "then", line->then);
	to = put_length(to, "now", line->now);
	to = put_object(to, "then", line->then);
	to = put_object(to, "now", line->now);
	to = put_text(to, "}\n");
	out->len += (size_t)(to - begin);
	return 0;
}
