/* SPDX-License-Identifier: Apache-2.0 */
/* A strict, forward-only walk over one JSON text (RFC 8259) that builds no tree: find members,
 * skip values at the speed of memory, hand out byte ranges.
 *
 * Strict about: strings (control characters, escapes, UTF-8), nesting (each bracket closed by
 * its own kind, at most JSON_DEPTH deep), the end of the text. Not checked: the tokens between
 * the strings and brackets *inside a skipped value* ({"a" 1,,} passes when skipped over, not
 * when walked). What is handed out agrees with a real parser's: test/fuzz/fuzz_lib_json.c.
 *
 *	struct json j;
 *	struct json_str key;
 *	int more;
 *
 *	json_init(&j, line, len);
 *	json_enter(&j, '{');
 *	while ((more = json_member(&j, &key)) == 1)
 *		if (json_str_is(&key, "type")) json_string(&j, &type); else json_skip(&j, NULL);
 *	if (json_end(&j) == -1) … j.error at j.p - j.start
 *
 * Errors stick: after one, each call returns -1 and moves nothing, so that only the last call of
 * a walk need be checked. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { JSON_DEPTH = 10000 }; /* levels, as Go's encoding/json */

struct json_range {
	const char *p; /* NULL: absent */
	size_t len;
};

/* A string as it stands in the text, without its quotes. */
struct json_str {
	const char *p; /* NULL: absent */
	size_t len;
	bool escaped; /* holds backslashes: see json_unescape */
};

struct json {
	const char *start;
	const char *p; /* the next byte to read */
	const char *end;
	const char *error; /* NULL, or what is wrong at p: a literal */
	bool high;         /* a byte over 0x7f was seen: json_end checks the UTF-8 */
	bool first;        /* nothing has been read of the container just entered */
};

/* text need not end in NUL and nothing is read beyond it. It is borrowed by all that is handed
 * out. */
void json_init(struct json *j, const char *text, size_t len);

/* What the next value begins with: '{' '[' '"' 't' 'f' 'n' '-' or a digit; 0 at the end or on
 * error. */
char json_peek(struct json *j);

/* Enters the object ('{') or array ('[') that comes next. 0, or -1 if it is something else. */
int json_enter(struct json *j, char bracket);
/* 1: *key is read and its value comes next; 0: the object has ended; -1: error. The value must
 * be read, entered or skipped before the next call. */
int json_member(struct json *j, struct json_str *key);
/* The same for an array's elements. */
int json_element(struct json *j);

/* The string that comes next. -1 if it is not a string; null is not one. */
int json_string(struct json *j, struct json_str *str);
/* Whatever value comes next; its bytes go to *range unless that is NULL. 0 or -1. */
int json_skip(struct json *j, struct json_range *range);

/* Nothing but white space is left and all UTF-8 was valid. 0 or -1. Call once, last. */
int json_end(struct json *j);

/* Marks the walk as failed at the present place, for what only the caller can know to be wrong.
 * why: a literal. Returns -1. */
int json_fail(struct json *j, const char *why);

/* Is the string, unescaped, equal to text? Inline, so that a literal's length is known. */
static inline bool json_str_is(const struct json_str *str, const char *text);

/* Writes the string without its escapes to out, which must have room for str->len bytes;
 * returns the length written. A lone surrogate becomes U+FFFD. Not NUL-terminated. */
size_t json_unescape(const struct json_str *str, char *out);

/* json_str_is of a string that has escapes. */
bool json_escaped_is(const struct json_str *str, const char *text);

static inline bool
json_str_is(const struct json_str *str, const char *text)
{
	if (str->escaped)
		return json_escaped_is(str, text);
	return str->p != NULL && str->len == strlen(text) &&
	       memcmp(str->p, text, str->len) == 0;
}

/* Is every byte sequence valid UTF-8 (RFC 3629)? */
bool json_utf8_valid(const char *text, size_t len);

#endif
