/* SPDX-License-Identifier: Apache-2.0 */
/* What is within JSON's strings: escapes and UTF-8. */
#include <string.h>

#include "json.h"
#include "json_skip.h"

static unsigned
hex4(const char *p)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++) {
		unsigned c = (unsigned char)p[i];

		v = v << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return v;
}

static size_t
put_utf8(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* p behind "\u": the code point, and how many bytes of text it took (4, or 10 for a pair). */
static uint32_t
code_point(const char *p, const char *end, size_t *taken)
{
	uint32_t c = hex4(p);

	*taken = 4;
	if (c < 0xd800 || c > 0xdfff)
		return c;
	if (c < 0xdc00 && end - p >= 10 && p[4] == '\\' && p[5] == 'u') {
		uint32_t low = hex4(p + 6);

		if (low >= 0xdc00 && low <= 0xdfff) {
			*taken = 10;
			return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		}
	}
	return 0xfffd; /* half a pair alone stands for nothing */
}

size_t
json_unescape(const struct json_str *str, char *out)
{
	static const char names[] = "\"\\/bfnrt";
	static const char bytes[] = "\"\\/\b\f\n\r\t";
	const char *p = str->p;
	const char *end = p + str->len;
	char *begin = out;

	if (!str->escaped) {
		memcpy(out, p, str->len);
		return str->len;
	}
	while (p < end) {
		size_t taken;

		if (*p != '\\') {
			*out++ = *p++;
		} else if (p[1] == 'u') {
			out += put_utf8(code_point(p + 2, end, &taken), out);
			p += 2 + taken;
		} else {
			*out++ = bytes[strchr(names, p[1]) - names];
			p += 2;
		}
	}
	return (size_t)(out - begin);
}

bool
json_escaped_is(const struct json_str *str, const char *text)
{
	char plain[256];

	/* No text that anyone asks for is longer than this, escaped at six bytes a character.
	 */
	if (str->len > sizeof(plain))
		return false;
	return json_unescape(str, plain) == strlen(text) &&
	       memcmp(plain, text, strlen(text)) == 0;
}

/* The length of the valid sequence that p begins with, 0 if there is none. */
static size_t
sequence(const unsigned char *p, size_t left)
{
	unsigned low = 0x80; /* bounds of the second byte: no overlong form, no surrogate */
	unsigned high = 0xbf;
	size_t n;

	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		n = 2;
	} else if ((p[0] & 0xf0) == 0xe0) {
		n = 3;
		low = p[0] == 0xe0 ? 0xa0 : 0x80;
		high = p[0] == 0xed ? 0x9f : 0xbf;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		n = 4;
		low = p[0] == 0xf0 ? 0x90 : 0x80;
		high = p[0] == 0xf4 ? 0x8f : 0xbf;
	} else {
		return 0;
	}
	if (left < n || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

bool
json_utf8_valid(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;
	const unsigned char *end = p + len;

	while (p < end) {
		uint64_t word;
		size_t n;

		if (end - p >= 8) {
			memcpy(&word, p, 8);
			if ((word & 0x8080808080808080ULL) == 0) {
				p += 8;
				continue;
			}
		}
		if (*p < 0x80) {
			p++;
			continue;
		}
		n = sequence(p, (size_t)(end - p));
		if (n == 0)
			return false;
		p += n;
	}
	return true;
}
