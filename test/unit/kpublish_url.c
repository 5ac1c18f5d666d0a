/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/url.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

/* The URL is read as this scheme and rest, shown as that. */
static bool
is(const char *text, const char *scheme, const char *rest, const char *shown)
{
	struct url url;
	const char *why;
	bool good = url_parse(&url, text, &why) == 0 && strcmp(url.scheme, scheme) == 0 &&
		    strcmp(url.rest, rest) == 0 && strcmp(url.shown, shown) == 0;

	url_free(&url);
	return good;
}

static bool
fails(const char *text)
{
	struct url url;
	const char *why;
	bool bad = url_parse(&url, text, &why) == -1;

	url_free(&url);
	return bad;
}

int
main(void)
{
	struct tap tap = {0};
	struct url url;
	const char *why;

	tap_ok(&tap, is("kafka://topic", "kafka", "topic", "kafka://topic"), "a topic");
	tap_ok(&tap, is("stdout:", "stdout", "", "stdout:"), "a scheme alone");
	tap_ok(&tap,
	    is("file:a@b%3f:/c?d=@", "file", "a@b?:/c", "file:a@b%3f:/c") &&
		is("file:///a", "file", "/a", "file:///a"),
	    "paths");
	tap_ok(&tap, is("nats://a%2eb", "nats", "a.b", "nats://a%2eb"), "percent signs");
	tap_ok(&tap, is("rabbit://me:pw@x?password=pw", "rabbit", "me:pw@x", "rabbit://x"),
	    "no secret is shown");
	tap_ok(&tap,
	    is("rabbit://me:p/w,@p@x", "rabbit", "me:p/w,@p@x", "rabbit://x") &&
		is("rabbit:me:pw@x", "rabbit", "me:pw@x", "rabbit:x") &&
		is("kafka://t?sasl.username=me@x", "kafka", "t", "kafka://t"),
	    "whatever is in it");
	tap_ok(&tap,
	    fails("rabbit://me:p?w@x") && fails("rabbit://me:p?w=s@x") &&
		fails("rabbit://m@e?p=w@x"),
	    "a password that could be a query");
	tap_ok(&tap, fails("") && fails(":x") && fails("topic"), "no scheme");
	tap_ok(&tap, fails("x:%4") && fails("x:%zz") && fails("x:%00") && fails("x:?a=%"),
	    "bad percent signs");
	tap_ok(&tap, fails("x:?a") && fails("x:?=1"), "bad parameters");
	tap_ok(&tap,
	    url_parse(&url, "kafka://t?a=1&b.c=%26=&d=", &why) == 0 && url.n_params == 3 &&
		strcmp(url.params[0].value, "1") == 0 &&
		strcmp(url.params[1].name, "b.c") == 0 &&
		strcmp(url.params[1].value, "&=") == 0 && strcmp(url.params[2].value, "") == 0,
	    "parameters");
	url_free(&url);
	return tap_done(&tap);
}
