/* SPDX-License-Identifier: Apache-2.0 */
#include "print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "json.h"

/* The seconds of 0001-01-01 and 9999-12-31T23:59:59: what a Timestamp may hold. */
#define SECONDS_MIN (-INT64_C(62135596800))
#define SECONDS_MAX INT64_C(253402300799)
enum { NANOS_MAX = 999999999 };

static int
print_char(struct buf *to, unsigned char c)
{
	char byte = (char)c;

	if (c == '"' || c == '\\')
		return buf_printf(to, "\\%c", byte);
	if (c < 0x20 || c == 0x7f)
		return buf_printf(to, "\\u%04x", c);
	return buf_add(to, &byte, 1);
}

/* How many bytes of the text make one valid character; 0: none do. */
static size_t
character(const char *text, size_t len)
{
	for (size_t n = 1; n <= 4 && n <= len; n++)
		if (json_utf8_valid(text, n))
			return n;
	return 0;
}

int
print_string(struct buf *to, const char *text)
{
	size_t len = strlen(text);
	int bad = buf_add(to, "\"", 1);

	while (len > 0 && !bad) {
		size_t n = character(text, len);

		if (n == 1)
			bad = print_char(to, (unsigned char)*text);
		else
			bad = n == 0 ? buf_addstr(to, "\xef\xbf\xbd") : buf_add(to, text, n);
		text += n > 0 ? n : 1;
		len -= n > 0 ? n : 1;
	}
	return bad ? -1 : buf_add(to, "\"", 1);
}

int
print_base64(struct buf *to, const uint8_t *bytes, size_t len)
{
	static const char digit[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *p = buf_reserve(to, (len + 2) / 3 * 4 + 2);

	if (p == NULL)
		return -1;
	*p++ = '"';
	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)bytes[i] << 16;

		if (i + 1 < len)
			v |= (uint32_t)bytes[i + 1] << 8;
		if (i + 2 < len)
			v |= bytes[i + 2];
		*p++ = digit[v >> 18];
		*p++ = digit[v >> 12 & 63];
		*p++ = i + 1 < len ? digit[v >> 6 & 63] : '=';
		*p++ = i + 2 < len ? digit[v & 63] : '=';
	}
	*p++ = '"';
	to->len = (size_t)(p - to->data);
	return 0;
}

/* Is all of the text one JSON value, tokens between the strings included? Walks into every
 * container, since json_skip does not look there. */
static bool
valid_json(const char *text, size_t len)
{
	char open[JSON_DEPTH];
	size_t depth = 0;
	struct json_str key;
	struct json j;
	int more = 1;

	json_init(&j, text, len);
	do {
		char c = json_peek(&j);

		if (c != '{' && c != '[') {
			json_skip(&j, NULL);
		} else if (depth == JSON_DEPTH) {
			return false;
		} else {
			json_enter(&j, c);
			open[depth++] = c;
		}
		while (depth > 0) {
			more =
			    open[depth - 1] == '{' ? json_member(&j, &key) : json_element(&j);
			if (more != 0)
				break;
			depth--;
		}
	} while (depth > 0 && more == 1);
	return more != -1 && json_end(&j) == 0;
}

int
print_json(struct buf *to, const uint8_t *bytes, size_t len)
{
	char *p;

	if (!valid_json((const char *)bytes, len))
		return print_base64(to, bytes, len);
	p = buf_reserve(to, len);
	if (p == NULL)
		return -1;
	memcpy(p, bytes, len);
	for (size_t i = 0; i < len; i++) /* only white space between tokens can be these */
		if (p[i] == '\n' || p[i] == '\r')
			p[i] = ' ';
	to->len += len;
	return 0;
}

/* Fraction digits come in threes, as many as are needed. */
static void
fraction(char out[16], int32_t nanos)
{
	if (nanos == 0)
		out[0] = '\0';
	else if (nanos % 1000000 == 0)
		snprintf(out, 16, ".%03d", nanos / 1000000);
	else if (nanos % 1000 == 0)
		snprintf(out, 16, ".%06d", nanos / 1000);
	else
		snprintf(out, 16, ".%09d", nanos);
}

int
print_time(struct buf *to, int64_t seconds, int32_t nanos)
{
	time_t t = (time_t)seconds;
	struct tm tm;
	char digits[16];

	if (seconds < SECONDS_MIN || seconds > SECONDS_MAX || nanos < 0 || nanos > NANOS_MAX)
		return buf_printf(to, "\"%" PRId64 ".%09" PRId32 "\"", seconds, nanos);
	gmtime_r(&t, &tm);
	fraction(digits, nanos);
	return buf_printf(to, "\"%04d-%02d-%02dT%02d:%02d:%02d%sZ\"", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, digits);
}
