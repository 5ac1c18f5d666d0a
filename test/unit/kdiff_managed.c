/* SPDX-License-Identifier: Apache-2.0 */
#include "kdiff/managed.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define ENTRY(manager, time)                                                 \
	"{\"manager\":\"" manager                                            \
	"\",\"operation\":\"Update\",\"apiVersion\":\"v1\",\"time\":\"" time \
	"\",\"fieldsV1\":{\"f:a\":{}}}"
#define T1 "2026-11-23T10:00:01Z"
#define T2 "2026-11-23T10:00:02Z"
#define T3 "2026-11-23T10:00:03Z"

static struct json_range
range(const char *text)
{
	return (struct json_range){text, text != NULL ? strlen(text) : 0};
}

static bool
update_is(const char *then, const char *now, const char *time, const char *manager)
{
	struct managed m = managed_update(range(then), range(now));

	return (time == NULL ? m.time.p == NULL : json_str_is(&m.time, time)) &&
	       (manager == NULL ? m.manager.p == NULL : json_str_is(&m.manager, manager));
}

static bool
creation_is(const char *now, const char *creation, const char *manager)
{
	struct json_str when = {.p = creation, .len = creation != NULL ? strlen(creation) : 0};
	struct managed m = managed_creation(range(now), when);

	return manager == NULL ? m.manager.p == NULL : json_str_is(&m.manager, manager);
}

static bool
many(void)
{
	static char text[32000];
	size_t len = 1;

	text[0] = '[';
	for (int i = 0; i < 300; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s{\"manager\":\"m%d\",\"time\":\"%d\"}", i > 0 ? "," : "", i, i);
	snprintf(text + len, sizeof(text) - len, "]");
	return managed_update(range("[]"), range(text)).time.p != NULL;
}

int
main(void)
{
	struct tap tap = {0};

	tap_ok(&tap,
	    update_is(
		"[" ENTRY("a", T1) "]", "[" ENTRY("a", T1) "," ENTRY("b", T2) "]", T2, "b"),
	    "an entry was added");
	tap_ok(&tap, update_is("[" ENTRY("a", T1) "]", "[" ENTRY("a", T2) "]", T2, "a"),
	    "an entry has a new time");
	tap_ok(&tap,
	    update_is("[" ENTRY("a", T1) "," ENTRY("b", T3) "]",
		"[" ENTRY("b", T3) "," ENTRY("a", T2) "]", T2, "a"),
	    "an old entry does not count, be it newer");
	tap_ok(&tap,
	    update_is(
		"[]", "[" ENTRY("a", T1) "," ENTRY("b", T3) "," ENTRY("c", T2) "]", T3, "b"),
	    "the newest of several");
	tap_ok(&tap, update_is("[]", "[" ENTRY("a", T2) "," ENTRY("b", T2) "]", T2, NULL),
	    "two managers at one time: nobody can tell");
	tap_ok(&tap,
	    update_is(
		"[]", "[" ENTRY("a", T1) "," ENTRY("b", T1) "," ENTRY("c", T2) "]", T2, "c"),
	    "two at an older time do not matter");
	tap_ok(&tap,
	    update_is("[" ENTRY("a", T1) "]", "[" ENTRY("a", T1) "]", NULL, NULL) &&
		update_is(NULL, NULL, NULL, NULL),
	    "nothing was added");
	tap_ok(&tap,
	    update_is(
		"[" ENTRY("a", T1) "," ENTRY("b", T2) "]", "[" ENTRY("b", T2) "]", NULL, NULL),
	    "an entry went away");
	tap_ok(&tap,
	    update_is("[]", "[{\"manager\":\"scale\",\"operation\":\"Update\"}]", NULL, NULL),
	    "an entry without a time tells nothing");
	tap_ok(&tap,
	    update_is("[{\"manager\":\"a\",\"subresource\":\"status\",\"time\":\"" T1 "\"}]",
		"[{\"manager\":\"a\",\"time\":\"" T1 "\"}]", T1, "a"),
	    "the subresource is part of what an entry is");
	tap_ok(&tap,
	    update_is("[]", "[1,{}]", NULL, NULL) &&
		update_is("[]", "[{\"manager\":1 2}]", NULL, NULL) &&
		update_is("[", "[" ENTRY("a", T1) "]", T1, "a"),
	    "what is broken tells nothing and breaks nothing");
	tap_ok(&tap, many(), "more entries than are looked at");
	tap_ok(&tap, creation_is("[" ENTRY("a", T1) "," ENTRY("b", T2) "]", T1, "a"),
	    "who made the object");
	tap_ok(&tap, creation_is("[" ENTRY("a", T1) "," ENTRY("b", T1) "]", T1, NULL),
	    "two at that time");
	tap_ok(&tap,
	    creation_is("[" ENTRY("a", T2) "]", T1, NULL) && creation_is(NULL, T1, NULL) &&
		creation_is("[]", NULL, NULL),
	    "nobody at that time");
	return tap_done(&tap);
}
