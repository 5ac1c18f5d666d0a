/* SPDX-License-Identifier: Apache-2.0 */
#include "redact.h"

static const char last_applied[] = "kubectl.kubernetes.io/last-applied-configuration";

/* Copies json to out up to each place that is replaced. */
struct splice {
	struct json j;
	const char *copied; /* what stands before it is in out */
	struct buf *out;
};

bool
redact_needed(const struct object *object)
{
	return object->kind.p != NULL && object->api_version.p != NULL &&
	       json_str_is(&object->kind, "Secret") && json_str_is(&object->api_version, "v1");
}

/* Passes over the next value and puts the string text in its place. */
static void
replace(struct splice *s, const char *text)
{
	struct json_range range;

	if (json_skip(&s->j, &range) == -1)
		return;
	if (buf_add(s->out, s->copied, (size_t)(range.p - s->copied)) == -1 ||
	    buf_printf(s->out, "\"%s\"", text) == -1)
		json_fail(&s->j, "no room for the redacted object");
	s->copied = range.p + range.len;
}

/* Replaces the values of the object that comes next: all, or only the member named only. What
 * should be an object and is none is replaced as a whole, unless it is null. */
static void
replace_values(struct splice *s, const char *text, const char *only)
{
	struct json_str key;

	if (json_peek(&s->j) == 'n') {
		json_skip(&s->j, NULL);
		return;
	}
	if (json_peek(&s->j) != '{') {
		replace(s, text);
		return;
	}
	json_enter(&s->j, '{');
	while (json_member(&s->j, &key) == 1) {
		if (only == NULL || json_str_is(&key, only))
			replace(s, text);
		else
			json_skip(&s->j, NULL);
	}
}

static void
redact_metadata(struct splice *s)
{
	struct json_str key;

	if (json_peek(&s->j) != '{') {
		json_skip(&s->j, NULL);
		return;
	}
	json_enter(&s->j, '{');
	while (json_member(&s->j, &key) == 1) {
		if (json_str_is(&key, "annotations"))
			replace_values(s, REDACT_TEXT, last_applied);
		else
			json_skip(&s->j, NULL);
	}
}

int
redact_object(const char *json, size_t len, struct buf *out)
{
	struct splice s = {.copied = json, .out = out};
	struct json_str key;

	json_init(&s.j, json, len);
	json_enter(&s.j, '{');
	while (json_member(&s.j, &key) == 1) {
		if (json_str_is(&key, "data"))
			replace_values(&s, REDACT_DATA, NULL);
		else if (json_str_is(&key, "stringData"))
			replace_values(&s, REDACT_TEXT, NULL);
		else if (json_str_is(&key, "metadata"))
			redact_metadata(&s);
		else
			json_skip(&s.j, NULL);
	}
	if (json_end(&s.j) == -1)
		return -1;
	return buf_add(out, s.copied, (size_t)(json + len - s.copied));
}
