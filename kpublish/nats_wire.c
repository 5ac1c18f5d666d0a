/* SPDX-License-Identifier: Apache-2.0 */
#include "nats_wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json.h"

/* Error codes of the server: server/errors.json in nats-io/nats-server. */
enum {
	JS_NOT_ENABLED = 10076,
	JS_NOT_ENABLED_FOR_ACCOUNT = 10039,
	JS_STREAM_MESSAGE_EXCEEDS_MAXIMUM = 10054,
	JS_STREAM_HEADER_EXCEEDS_MAXIMUM = 10097,
};

struct answer {
	bool error;
	unsigned code; /* err_code */
	struct json_str description;
	bool stream;  /* an ack names the stream */
	bool streams; /* the list of streams is not empty */
};

bool
nats_wire_subject_valid(const char *subject)
{
	const char *token = subject;

	for (const char *p = subject;; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '.' || c == '\0') {
			size_t len = (size_t)(p - token);

			if (len == 0 || (len == 1 && (*token == '*' || *token == '>')))
				return false;
			token = p + 1;
			if (c == '\0')
				return json_utf8_valid(subject, strlen(subject));
		}
		if (c <= ' ' || c == 0x7f || c == '"' || c == '\\')
			return false;
	}
}

static unsigned
number(const struct json_range *range)
{
	unsigned n = 0;

	for (size_t i = 0; i < range->len && i < 9; i++)
		if (range->p[i] >= '0' && range->p[i] <= '9')
			n = n * 10 + (unsigned)(range->p[i] - '0');
	return n;
}

static void
read_error(struct json *j, struct answer *a)
{
	struct json_str key;
	struct json_range code;

	a->error = true;
	json_enter(j, '{');
	while (json_member(j, &key) == 1) {
		if (json_str_is(&key, "description"))
			json_string(j, &a->description);
		else if (json_skip(j, &code) == 0 && json_str_is(&key, "err_code"))
			a->code = number(&code);
	}
}

static int
read_answer(const char *text, size_t len, struct answer *a)
{
	struct json j;
	struct json_str key;
	struct json_range value;

	*a = (struct answer){.error = false};
	json_init(&j, text, len);
	json_enter(&j, '{');
	while (json_member(&j, &key) == 1) {
		if (json_str_is(&key, "error")) {
			read_error(&j, a);
		} else if (json_skip(&j, &value) == 0) {
			a->stream = a->stream || json_str_is(&key, "stream");
			if (json_str_is(&key, "streams") && value.len > 2 && *value.p == '[')
				a->streams = memchr(value.p, '"', value.len) != NULL;
		}
	}
	return json_end(&j);
}

static void
explain(const struct answer *a, char *why, size_t why_size)
{
	int len = a->description.len < 200 ? (int)a->description.len : 200;

	snprintf(why, why_size, "JetStream: %.*s (error %u)", len,
	    a->description.p != NULL ? a->description.p : "", a->code);
}

enum verdict
nats_wire_ack(const char *json, size_t len, char *why, size_t why_size)
{
	struct answer a;

	if (read_answer(json, len, &a) == -1 || (!a.error && !a.stream)) {
		snprintf(why, why_size,
		    "the answer is not JetStream's: does something else listen to the "
		    "subject?");
		return VERDICT_RETRY;
	}
	if (!a.error)
		return VERDICT_ACKED;
	explain(&a, why, why_size);
	switch (a.code) {
	case JS_STREAM_MESSAGE_EXCEEDS_MAXIMUM:
		return VERDICT_TOO_LARGE;
	case JS_STREAM_HEADER_EXCEEDS_MAXIMUM: /* no smaller form has smaller ones */
		return VERDICT_REJECTED;
	default:
		return VERDICT_RETRY;
	}
}

enum nats_stream
nats_wire_streams(const char *json, size_t len, char *why, size_t why_size)
{
	struct answer a;

	if (read_answer(json, len, &a) == -1) {
		snprintf(why, why_size, "JetStream's answer cannot be read");
		return NATS_STREAM_UNKNOWN;
	}
	if (!a.error)
		return a.streams ? NATS_STREAM_THERE : NATS_STREAM_NONE;
	explain(&a, why, why_size);
	if (a.code == JS_NOT_ENABLED || a.code == JS_NOT_ENABLED_FOR_ACCOUNT)
		return NATS_STREAM_DISABLED;
	return NATS_STREAM_UNKNOWN;
}
