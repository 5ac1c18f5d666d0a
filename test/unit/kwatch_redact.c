/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kwatch/redact.h"
#include "tap.h"

/* Does the object become that? NULL: it is to be refused. */
static void
check(struct tap *tap, const char *in, const char *expect, const char *name)
{
	struct buf out;
	int result;

	buf_init(&out, 65536);
	result = redact_object(in, strlen(in), &out);
	if (expect == NULL)
		tap_ok(tap, result == -1, name);
	else
		tap_ok(tap,
		    result == 0 && out.len == strlen(expect) &&
			memcmp(out.data, expect, out.len) == 0,
		    name);
	buf_free(&out);
}

static bool
needed(const char *in)
{
	struct object object;
	const char *why;
	size_t at;

	return object_scan(in, strlen(in), &object, &why, &at) == 0 && redact_needed(&object);
}

int
main(void)
{
	struct tap tap = {0, 0};

	check(&tap,
	    "{\"kind\":\"Secret\",\"data\":{\"a\":\"c2VjcmV0\",\"b\":\"\"},\"type\":"
	    "\"Opaque\"}",
	    "{\"kind\":\"Secret\",\"data\":{\"a\":\"cmVkYWN0ZWQ=\",\"b\":\"cmVkYWN0ZWQ=\"},"
	    "\"type\":\"Opaque\"}",
	    "values of data are replaced, keys and the rest kept");
	check(&tap, "{\"stringData\":{\"p\":\"plain\"}}",
	    "{\"stringData\":{\"p\":\"redacted\"}}", "stringData gets a plain text");
	check(&tap,
	    "{\"metadata\":{\"name\":\"n\",\"annotations\":{\"a\":\"1\","
	    "\"kubectl.kubernetes.io/"
	    "last-applied-configuration\":\"{\\\"data\\\":1}\",\"z\":\"2\"}},"
	    "\"data\":{}}",
	    "{\"metadata\":{\"name\":\"n\",\"annotations\":{\"a\":\"1\","
	    "\"kubectl.kubernetes.io/last-applied-configuration\":\"redacted\",\"z\":\"2\"}},"
	    "\"data\":{}}",
	    "the annotation that repeats the data is replaced, others are kept");
	check(&tap, "{\"d\\u0061ta\":{\"a\":\"x\"}}",
	    "{\"d\\u0061ta\":{\"a\":\"cmVkYWN0ZWQ=\"}}",
	    "an escaped member name hides nothing");
	check(&tap, "{\"data\":{\"a\":\"x\"},\"data\":{\"b\":\"y\"}}",
	    "{\"data\":{\"a\":\"cmVkYWN0ZWQ=\"},\"data\":{\"b\":\"cmVkYWN0ZWQ=\"}}",
	    "a member given twice is replaced twice");
	check(&tap, "{\"data\":{\"a\":{\"b\":[\"x\"]}}}", "{\"data\":{\"a\":\"cmVkYWN0ZWQ=\"}}",
	    "a value that is no string is replaced");
	check(&tap, "{\"data\":[\"x\"]}", "{\"data\":\"cmVkYWN0ZWQ=\"}",
	    "data that is no object is replaced as a whole");
	check(&tap, "{\"data\":null,\"spec\":{\"data\":{\"a\":\"x\"}}}",
	    "{\"data\":null,\"spec\":{\"data\":{\"a\":\"x\"}}}",
	    "null, and data anywhere else, are kept");
	check(&tap, "{\"metadata\":null,\"data\":{\"a\":\"x\"}}",
	    "{\"metadata\":null,\"data\":{\"a\":\"cmVkYWN0ZWQ=\"}}", "metadata may be null");
	check(&tap, "{\"data\":{\"a\":\"x\"}", NULL, "a truncated object is refused");
	check(&tap, "[]", NULL, "an array is refused");
	check(&tap, "", NULL, "nothing is refused");
	tap_ok(&tap, needed("{\"kind\":\"Secret\",\"apiVersion\":\"v1\"}"), "a core Secret");
	tap_ok(&tap, !needed("{\"kind\":\"Secret\",\"apiVersion\":\"x.io/v1\"}"),
	    "a Secret of another group is none");
	tap_ok(&tap, !needed("{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\"}"),
	    "a ConfigMap is none");
	return tap_done(&tap);
}
