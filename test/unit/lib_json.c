/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over JSON: what it hands out, what it refuses, and at which byte. */
#include "json.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

/* Skips all of text, which stands at the very end of an allocation, so that a sanitizer sees
 * each read beyond it. The error, or NULL. */
static const char *
skip_all(const char *text, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);
	const char *error = "out of memory";
	struct json j;

	if (copy != NULL) {
		memcpy(copy, text, len);
		json_init(&j, copy, len);
		json_skip(&j, NULL);
		error = json_end(&j) == 0 ? NULL : j.error;
	}
	free(copy);
	return error;
}

/* Walks all of the value that comes next, without skipping a container. */
static int
walk_value(struct json *j)
{
	struct json_str key;
	int more;

	switch (json_peek(j)) {
	case '{':
		json_enter(j, '{');
		while ((more = json_member(j, &key)) == 1) {
			if (walk_value(j) == -1)
				return -1;
		}
		return more;
	case '[':
		json_enter(j, '[');
		while ((more = json_element(j)) == 1) {
			if (walk_value(j) == -1)
				return -1;
		}
		return more;
	default:
		return json_skip(j, NULL);
	}
}

static const char *
walk_all(const char *text, size_t len)
{
	struct json j;

	json_init(&j, text, len);
	walk_value(&j);
	return json_end(&j) == 0 ? NULL : j.error;
}

static const char *
skip_text(const char *text)
{
	return skip_all(text, strlen(text));
}

static bool
error_is(const char *error, const char *want)
{
	return error != NULL && strcmp(error, want) == 0;
}

static void
values(struct tap *tap)
{
	static const char *const good[] = {"{}", "[]", "0", "-0", "12", "-1.5e+10", "0.1E-2",
	    "1e5", "true", "false", "null", "\"\"", "\"a\"", " [1 , 2 ]\r\n\t",
	    "{\"a\":{\"b\":[{},[]]}}", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uD83D\\uDE00\"",
	    "\"\xc3\xa4\xe2\x98\x95\xf0\x9f\x98\x80\"", "[\"\\\\\",\"]\"]", "{\"\\\\\":\"}\"}",
	    "\"\\u0000\"", "\"\x7f\""};
	static const char *const bad[] = {"", " ", "01", "-", "+1", ".5", "1.", "1.e5", "1e",
	    "1e+", "--1", "tru", "truex", "nul", "nan", "Infinity", "\"", "\"a", "\"\n\"",
	    "\"\t\"", "\"\\x\"", "\"\\", "\"\\u\"", "\"\\u12\"", "\"\\u123g\"", "{", "[", "}",
	    "]", "[}", "{]", "[1}", "{\"a\":[}]", "[\"\\x\"]", "[\"\\u12\"]", "[\"\n\"]",
	    "[\\\"]", "[\v]", "[\f]", "[\x01]", "1 2", "{}{}", "[],", "'a'", "[\"a]",
	    "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
	    "[\"\xc3\"]", "[\"\xe2\x98\"]", "\"\xf5\x80\x80\x80\"", "\"\x80\""};
	/* What only a walk refuses: json.h says so. */
	static const char *const lax[] = {"{\"a\" 1}", "{\"a\":1,}", "[1,]", "[,1]", "[1 2]",
	    "{1:2}", "{\"a\":}", "[01]", "[tru]", "{,}", "{\"a\"}", "[\"a\" \"b\"]", "[1:2]"};
	char name[160];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(
		    name, sizeof(name), "accepted when skipped and walked: good value %zu", i);
		tap_ok(tap,
		    skip_text(good[i]) == NULL && walk_all(good[i], strlen(good[i])) == NULL,
		    name);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(
		    name, sizeof(name), "refused when skipped and walked: bad value %zu", i);
		tap_ok(tap,
		    skip_text(bad[i]) != NULL && walk_all(bad[i], strlen(bad[i])) != NULL,
		    name);
	}
	for (size_t i = 0; i < sizeof(lax) / sizeof(lax[0]); i++) {
		snprintf(
		    name, sizeof(name), "passes when skipped, refused when walked: %s", lax[i]);
		tap_ok(tap,
		    skip_text(lax[i]) == NULL && walk_all(lax[i], strlen(lax[i])) != NULL,
		    name);
	}
	tap_ok(tap,
	    skip_all("[\0]", 3) != NULL && skip_all("\"\0\"", 3) != NULL &&
		skip_all("{\"a\":\0}", 7) != NULL && skip_all("\0", 1) != NULL,
	    "a NUL byte is refused everywhere");
	tap_ok(tap, !error_is(walk_all("{\"a\":1\0}", 8), "ends within a value"),
	    "a NUL byte is not taken for the end of the text");
}

static void
depth(struct tap *tap)
{
	enum { DEEP = 100000 };
	char *text = malloc(2 * (size_t)DEEP);
	bool inner_kinds = true;

	tap_ok(tap, text != NULL, "memory");
	if (text == NULL)
		return;
	memset(text, '[', JSON_DEPTH);
	memset(text + JSON_DEPTH, ']', JSON_DEPTH);
	tap_ok(
	    tap, skip_all(text, 2 * (size_t)JSON_DEPTH) == NULL, "10000 levels are accepted");
	memset(text, '[', JSON_DEPTH + 1);
	memset(text + JSON_DEPTH + 1, ']', JSON_DEPTH + 1);
	tap_ok(tap,
	    error_is(
		skip_all(text, 2 * ((size_t)JSON_DEPTH + 1)), "nested too deep (10000 levels)"),
	    "10001 levels are refused");
	memset(text, '[', DEEP);
	memset(text + DEEP, ']', DEEP);
	tap_ok(tap,
	    error_is(skip_all(text, 2 * (size_t)DEEP), "nested too deep (10000 levels)"),
	    "100000 levels are refused");
	/* The kind of each level is remembered, over the words of the bit set. */
	for (size_t level = 0; level < 200; level++) {
		memset(text, '[', 200);
		memset(text + 200, ']', 200);
		text[level] = '{';
		inner_kinds = inner_kinds && skip_all(text, 400) != NULL;
		text[399 - level] = '}';
		inner_kinds = inner_kinds && skip_all(text, 400) == NULL;
	}
	tap_ok(tap, inner_kinds, "each of 200 levels is closed by its own kind only");
	free(text);
}

static const char sample[] =
    "{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"Pod\",\"n\":[-1.5e3,0,true,false,null,[],{}]"
    ","
    "\"s\":\"\\\"q\\\\ \\u00e4 \\ud83d\\ude00 "
    "\xc3\xa4\xe2\x98\x95\",\"metadata\":{\"name\":\"a\","
    "\"labels\":{\"k\":\"v\",\"long\":"
    "\"0123456789012345678901234567890123456789012345678901234567\"}}}}";

static void
truncation(struct tap *tap)
{
	size_t len = sizeof(sample) - 1;
	bool skipped = true;
	bool walked = true;

	for (size_t n = 0; n < len; n++) {
		skipped = skipped && skip_all(sample, n) != NULL;
		walked = walked && walk_all(sample, n) != NULL;
	}
	tap_ok(tap, skip_all(sample, len) == NULL && walk_all(sample, len) == NULL,
	    "the sample is good");
	tap_ok(tap, skipped, "cut at every byte it is an error when skipped");
	tap_ok(tap, walked, "cut at every byte it is an error when walked");
}

/* A string, an escape and a bracket at each place around the edges of 64-byte blocks. */
static void
edges(struct tap *tap)
{
	static const char *const ends[] = {"\"]", "\\\"\"]", "\\\\\"]", "\\\\\\\"\"]",
	    "\\u00e4\"]", "\xc3\xa4\"]", "\",[{}]]", "\"] \t\r\n"};
	static const char *const bad[] = {"\"", "\\\"]", "\\\\\\\"]", "\\u00e\"]", "\xc3\"]",
	    "\n\"]", "\"}", "\\\"", "\",[{]]", "\"]x", "\"\\]", "\"\x01]"};
	char text[320];
	bool good_ok = true;
	bool bad_ok = true;

	for (size_t pad = 0; pad < 200; pad++) {
		text[0] = '[';
		text[1] = '"';
		memset(text + 2, 'x', pad);
		for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
			memcpy(text + 2 + pad, ends[i], strlen(ends[i]) + 1);
			good_ok = good_ok && skip_text(text) == NULL &&
				  walk_all(text, strlen(text)) == NULL;
		}
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			memcpy(text + 2 + pad, bad[i], strlen(bad[i]) + 1);
			bad_ok = bad_ok && skip_text(text) != NULL &&
				 walk_all(text, strlen(text)) != NULL;
		}
	}
	tap_ok(tap, good_ok, "good endings of a string at 200 distances from a block's edge");
	tap_ok(tap, bad_ok, "bad endings of a string at 200 distances from a block's edge");
}

static void
handed_out(struct tap *tap)
{
	static const char text[] = " { \"a\" : \"x\\ny\" , \"b\":[1, 2] ,\"c\":{}} ";
	struct json_range range = {NULL, 0};
	struct json_str key;
	struct json_str str;
	struct json j;
	char plain[16];

	json_init(&j, text, sizeof(text) - 1);
	tap_ok(tap, json_peek(&j) == '{' && json_enter(&j, '{') == 0, "an object is entered");
	tap_ok(tap,
	    json_member(&j, &key) == 1 && json_str_is(&key, "a") &&
		json_string(&j, &str) == 0 && str.escaped && str.len == 4 &&
		json_str_is(&str, "x\ny") && !json_str_is(&str, "x\\ny"),
	    "a string with an escape");
	tap_ok(
	    tap, json_unescape(&str, plain) == 3 && memcmp(plain, "x\ny", 3) == 0, "unescaped");
	tap_ok(tap,
	    json_member(&j, &key) == 1 && json_skip(&j, &range) == 0 && range.len == 6 &&
		memcmp(range.p, "[1, 2]", 6) == 0,
	    "a skipped value's range");
	tap_ok(tap,
	    json_member(&j, &key) == 1 && json_enter(&j, '{') == 0 &&
		json_member(&j, &key) == 0,
	    "an empty object has no member");
	tap_ok(tap, json_member(&j, &key) == 0 && json_end(&j) == 0, "the end");

	json_init(&j, "[1]", 3);
	tap_ok(tap,
	    json_enter(&j, '{') == -1 && strcmp(j.error, "expected an object") == 0 &&
		json_element(&j) == -1 && json_skip(&j, NULL) == -1 &&
		json_string(&j, &str) == -1 && json_peek(&j) == 0 && json_end(&j) == -1 &&
		j.p == j.start && strcmp(j.error, "expected an object") == 0,
	    "the first error sticks and nothing moves");
	json_init(&j, "{\"a\":1}", 7);
	json_enter(&j, '{');
	json_member(&j, &key);
	tap_ok(tap,
	    json_fail(&j, "mine") == -1 && json_end(&j) == -1 && strcmp(j.error, "mine") == 0,
	    "a caller's own error");
}

static bool
unescapes_to(const char *text, const char *want, size_t want_len)
{
	char out[64];
	struct json_str str;
	struct json j;

	json_init(&j, text, strlen(text));
	return json_string(&j, &str) == 0 && json_unescape(&str, out) == want_len &&
	       memcmp(out, want, want_len) == 0;
}

static void
strings(struct tap *tap)
{
	struct json_str absent = {.p = NULL};
	struct json_str plain = {.p = "kind", .len = 4};

	tap_ok(tap, unescapes_to("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8),
	    "every short escape");
	tap_ok(tap,
	    unescapes_to("\"\\u0041\\u00E4\\u2615\\ud83d\\ude00\"",
		"A\xc3\xa4\xe2\x98\x95\xf0\x9f\x98\x80", 10),
	    "\\u of one to four bytes");
	tap_ok(tap, unescapes_to("\"\\u0000\"", "\0", 1), "\\u0000");
	tap_ok(tap,
	    unescapes_to("\"\\ud83d\"", "\xef\xbf\xbd", 3) &&
		unescapes_to("\"\\ude00x\"", "\xef\xbf\xbdx", 4) &&
		unescapes_to("\"\\ud83d\\u0041\"",
		    "\xef\xbf\xbd"
		    "A",
		    4) &&
		unescapes_to("\"\\ud83d\\n\"", "\xef\xbf\xbd\n", 4),
	    "half a surrogate pair is U+FFFD");
	tap_ok(tap, unescapes_to("\"abc\"", "abc", 3), "no escape at all");
	tap_ok(tap,
	    json_str_is(&plain, "kind") && !json_str_is(&plain, "kin") &&
		!json_str_is(&plain, "kinds") && !json_str_is(&absent, ""),
	    "comparison");
	tap_ok(tap,
	    json_utf8_valid("0123456\xc3\xa4"
			    "89abcdef\xf4\x8f\xbf\xbf",
		21) &&
		json_utf8_valid("", 0) && !json_utf8_valid("01234567\xc3", 9) &&
		!json_utf8_valid("\xe0\x80\x80", 3) &&
		!json_utf8_valid("\xf0\x80\x80\x80", 4) &&
		!json_utf8_valid("\xed\xbf\xbf", 3) &&
		json_utf8_valid("\xed\x9f\xbf\xee\x80\x80", 6),
	    "UTF-8: the bounds of each length");
}

int
main(void)
{
	struct tap tap = {0};

	values(&tap);
	depth(&tap);
	truncation(&tap);
	edges(&tap);
	handed_out(&tap);
	strings(&tap);
	return tap_done(&tap);
}
