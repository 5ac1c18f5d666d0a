/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "text.h"

/* The next value, cut to what fits, when it is a string. */
static void
read_text(struct json *j, char *to, size_t size)
{
	struct json_str str;
	char *text;

	if (json_peek(j) != '"') {
		json_skip(j, NULL);
		return;
	}
	if (json_string(j, &str) == -1 || (text = text_dup(&str)) == NULL)
		return;
	to[0] = '\0';
	strncat(to, text, size - 1);
	free(text);
}

/* The next value when it is a whole number from 0 to a million, else 0. */
static long
read_number(struct json *j)
{
	struct json_range range;
	long n = 0;

	if (json_skip(j, &range) == -1)
		return 0;
	for (size_t i = 0; i < range.len; i++) {
		if (range.p[i] < '0' || range.p[i] > '9' || n > 100000)
			return 0;
		n = n * 10 + (range.p[i] - '0');
	}
	return n;
}

static void
read_details(struct json *j, struct status *status)
{
	struct json_str key;

	if (json_peek(j) != '{') {
		json_skip(j, NULL);
		return;
	}
	json_enter(j, '{');
	while (json_member(j, &key) == 1) {
		if (json_str_is(&key, "retryAfterSeconds"))
			status->retry_ms = (int64_t)read_number(j) * 1000;
		else
			json_skip(j, NULL);
	}
}

void
status_parse(struct status *status, const char *text, size_t len)
{
	struct json j;
	struct json_str key;
	size_t n = 0;

	*status = (struct status){.code = 0};
	json_init(&j, text, len);
	if (json_peek(&j) == '{') {
		json_enter(&j, '{');
		while (json_member(&j, &key) == 1) {
			if (json_str_is(&key, "code"))
				status->code = read_number(&j);
			else if (json_str_is(&key, "reason"))
				read_text(&j, status->reason, sizeof(status->reason));
			else if (json_str_is(&key, "message"))
				read_text(&j, status->message, sizeof(status->message));
			else if (json_str_is(&key, "details"))
				read_details(&j, status);
			else
				json_skip(&j, NULL);
		}
		if (json_end(&j) == 0)
			return;
		*status = (struct status){.code = 0};
	}
	while (n < len && n < sizeof(status->message) - 1 && text[n] != '\n' && text[n] != '\r')
		n++;
	memcpy(status->message, text, n);
	status->message[n] = '\0';
}
