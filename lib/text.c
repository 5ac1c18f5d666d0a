/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

char *
text_printf(const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	return n == -1 ? NULL : text;
}

char *
text_dup(const struct json_str *str)
{
	char *text = malloc(str->len + 1);

	if (text == NULL)
		return NULL;
	text[str->p != NULL ? json_unescape(str, text) : 0] = '\0';
	return text;
}

void
text_set(char **to, char *text)
{
	free(*to);
	*to = text;
}

bool
text_in_list(const char *list, const char *word)
{
	size_t n = strlen(word);

	if (n == 0)
		return false;
	while (*list != '\0') {
		size_t len = strcspn(list, ",");

		if (len == n && strncasecmp(list, word, n) == 0)
			return true;
		list += len;
		list += *list == ',';
	}
	return false;
}

char *
text_read_list(struct json *j)
{
	struct json_str str;
	struct buf list;

	buf_init(&list, TEXT_MAX);
	if (json_peek(j) != '[') {
		json_skip(j, NULL);
	} else {
		json_enter(j, '[');
		while (json_element(j) == 1) {
			char *word;

			if (json_string(j, &str) == -1)
				break;
			word = text_dup(&str);
			if (word == NULL ||
			    buf_printf(&list, "%s%s", list.len > 0 ? "," : "", word) == -1)
				json_fail(j, "out of memory");
			free(word);
		}
	}
	if (buf_terminate(&list) == -1)
		buf_free(&list);
	return list.data;
}

int
text_add_json(struct buf *buf, const char *text)
{
	int bad = buf_addstr(buf, "\"");

	for (; bad == 0 && *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20)
			bad = buf_printf(buf, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			bad = buf_printf(buf, "\\%c", c);
		else
			bad = buf_add(buf, text, 1);
	}
	return bad == 0 ? buf_addstr(buf, "\"") : -1;
}

int
text_add_query(struct buf *buf, const char *text)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	int bad = 0;

	for (; bad == 0 && *text != '\0'; text++) {
		if (strchr(plain, *text) != NULL)
			bad = buf_add(buf, text, 1);
		else
			bad = buf_printf(buf, "%%%02X", (unsigned char)*text);
	}
	return bad;
}
