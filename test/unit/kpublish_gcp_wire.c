/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/gcp_wire.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

/* The request with the message alone; NULL when its size is not what was said. */
static char *
request(const struct message *m)
{
	struct buf body;

	buf_init(&body, GCP_REQUEST_MAX);
	if (gcp_wire_begin(&body) == -1 || gcp_wire_add(&body, m) == -1 ||
	    gcp_wire_end(&body) == -1 || buf_terminate(&body) == -1)
		return NULL;
	/* gcp_wire_size counts the comma before the next one. */
	if (body.len != gcp_wire_empty() + gcp_wire_size(m) - 1)
		buf_free(&body);
	return body.data;
}

static bool
request_is(const struct message *m, const char *want)
{
	char *body = request(m);
	bool is = body != NULL && strcmp(body, want) == 0;

	if (!is)
		printf("# %s\n", body != NULL ? body : "(of another size)");
	free(body);
	return is;
}

static void
requests(struct tap *tap)
{
	struct message m = {
	    .body = (const uint8_t *)"\xfb\xff\xfe?",
	    .len = 4,
	    .key = "c/\"\\",
	    .key_len = 4,
	    .attributes = {{"id", "1", 1}, {"name", "w\"e\\b", 5}},
	    .n_attributes = 2,
	};
	char *value = calloc(1, GCP_VALUE_MAX + 2);
	char *key = calloc(1, GCP_KEY_MAX + 2);

	memset(value, 'v', GCP_VALUE_MAX + 1);
	memset(key, 'k', GCP_KEY_MAX + 1);
	tap_ok(tap,
	    request_is(&m,
		"{\"messages\":[{\"data\":\"+//+Pw==\",\"orderingKey\":\"c/\\\"\\\\\","
		"\"attributes\":{\"id\":\"1\",\"name\":\"w\\\"e\\\\b\"}}]}"),
	    "base64, escapes, and the size foretold");
	m.n_attributes = 0;
	m.len = 3;
	tap_ok(tap,
	    request_is(&m, "{\"messages\":[{\"data\":\"+//+\",\"orderingKey\":\"c/\\\"\\\\\","
			   "\"attributes\":{}}]}"),
	    "no attributes");
	m.n_attributes = 1;
	m.attributes[0] = (struct attribute){"name", value, GCP_VALUE_MAX + 1};
	tap_ok(tap,
	    request_is(&m, "{\"messages\":[{\"data\":\"+//+\",\"orderingKey\":\"c/\\\"\\\\\","
			   "\"attributes\":{}}]}"),
	    "a value that is too long is left out");
	m.n_attributes = 0;
	m.key = key;
	m.key_len = GCP_KEY_MAX + 1;
	/* printf '%01025d' 0 | tr 0 k | sha256sum */
	tap_ok(tap,
	    request_is(&m,
		"{\"messages\":[{\"data\":\"+//+\",\"orderingKey\":"
		"\"011cc8dcade24f43d2d7f95605d8481da1d0b86475def49be02bfc20cee86e65\""
		",\"attributes\":{}}]}"),
	    "a key that is too long is hashed");
	free(value);
	free(key);
}

static enum gcp_outcome
outcome(long status, const char *body, size_t n, char why[GCP_WHY])
{
	return gcp_wire_outcome(status, body, strlen(body), n, why);
}

#define ERROR(code, message) \
	"{\"error\":{\"code\":1,\"status\":\"" code "\",\"message\":\"" message "\"}}"

static void
answers(struct tap *tap)
{
	static const struct {
		const char *name;
		long status;
		const char *body;
		enum gcp_outcome outcome;
	} cases[] = {
	    {"published", 200, "{\"messageIds\": [\"1\", \"2\"]}", GCP_PUBLISHED},
	    {"an id too few", 200, "{\"messageIds\": [\"1\"]}", GCP_LATER},
	    {"ids that are none", 200, "{\"messageIds\": [1, 2]}", GCP_LATER},
	    {"no answer of Pub/Sub's", 200, "<html>", GCP_LATER},
	    {"nothing", 200, "", GCP_LATER},
	    {"unavailable", 503, ERROR("UNAVAILABLE", "x"), GCP_LATER},
	    {"throttled", 429, ERROR("RESOURCE_EXHAUSTED", "x"), GCP_LATER},
	    {"aborted", 409, ERROR("ABORTED", "x"), GCP_LATER},
	    {"of no API", 502, "<html>", GCP_LATER},
	    {"a token", 401, ERROR("UNAUTHENTICATED", "x"), GCP_TOKEN},
	    {"a permission", 403, ERROR("PERMISSION_DENIED", "x"), GCP_NOT_ALLOWED},
	    {"a topic", 404, ERROR("NOT_FOUND", "x"), GCP_NOT_ALLOWED},
	    {"a message", 400, ERROR("INVALID_ARGUMENT", "x"), GCP_REFUSED},
	    {"its size", 400,
		ERROR("INVALID_ARGUMENT",
		    "Request payload size exceeds the limit: 10485760 bytes."),
		GCP_TOO_LARGE},
	    {"its size, said by a front end", 413, "<html>", GCP_TOO_LARGE},
	    {"the topic's state", 400, ERROR("FAILED_PRECONDITION", "x"), GCP_LATER},
	    {"a bad request, says who knows what", 400, "<html>", GCP_LATER},
	};
	char why[GCP_WHY];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		tap_ok(tap,
		    outcome(cases[i].status, cases[i].body, 2, why) == cases[i].outcome &&
			(*why == '\0') == (cases[i].outcome == GCP_PUBLISHED),
		    cases[i].name);
	outcome(403, ERROR("PERMISSION_DENIED", "User \\\"x\\\" may not"), 1, why);
	tap_ok(tap, strcmp(why, "PERMISSION_DENIED: User \"x\" may not") == 0,
	    "what Google says is said");
	outcome(502, "<html>secret</html>", 1, why);
	tap_ok(tap, strcmp(why, "HTTP status 502") == 0, "what others say is not");
}

int
main(void)
{
	struct tap tap = {0};

	requests(&tap);
	answers(&tap);
	return tap_done(&tap);
}
