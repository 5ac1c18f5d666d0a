/* SPDX-License-Identifier: Apache-2.0 */
#include "base64.h"

#include <stdlib.h>
#include <string.h>

static int
base64_digit(char c)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

char *
base64_decode(const char *text, size_t *len)
{
	unsigned char *out = malloc(strlen(text) / 4 * 3 + 4);
	unsigned bits = 0;
	size_t n = 0;
	size_t digits = 0;

	if (out == NULL)
		return NULL;
	for (; *text != '\0' && *text != '='; text++) {
		int digit = base64_digit(*text);

		if (strchr(" \t\r\n", *text) != NULL)
			continue;
		if (digit == -1)
			break;
		bits = bits << 6 | (unsigned)digit;
		if (digits++ % 4 != 0)
			out[n++] = (unsigned char)(bits >> (6 - 2 * ((digits - 1) % 4)));
	}
	text += strspn(text, "= \t\r\n");
	if (*text != '\0' || digits % 4 == 1 || n == 0) {
		free(out);
		return NULL;
	}
	out[n] = '\0';
	*len = n;
	return (char *)out;
}
