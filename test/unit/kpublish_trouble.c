/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/trouble.h"

#include <string.h>

#include "tap.h"

static bool news(struct trouble *t, int64_t now_ms, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static bool
news(struct trouble *t, int64_t now_ms, const char *fmt, ...)
{
	va_list ap;
	bool told;

	va_start(ap, fmt);
	told = trouble_is_news(t, now_ms, fmt, ap);
	va_end(ap);
	return told;
}

int
main(void)
{
	struct tap tap = {0};
	struct trouble t = {.now = false};

	tap_ok(&tap, !trouble_over(&t), "no trouble is not over");
	tap_ok(&tap, news(&t, 1000, "refused at port %d", 10) && t.now && t.told,
	    "the first is told");
	tap_ok(&tap, !news(&t, 2000, "refused at port %d", 11),
	    "the same with another number is not");
	tap_ok(&tap, strcmp(t.text, "refused at port 11") == 0, "and its text is the last one");
	tap_ok(&tap, news(&t, 2000, "no answer"), "another cause is told at once");
	tap_ok(&tap, !news(&t, 60999, "refused at port 10"),
	    "within a minute it is not said again");
	tap_ok(&tap, news(&t, 61000, "refused at port 10"), "after a minute it is");
	tap_ok(&tap, !news(&t, 61500, "no answer"), "each has a minute of its own");
	tap_ok(&tap, news(&t, 61500, "a") && news(&t, 61500, "b"), "four causes are told");
	tap_ok(&tap, !news(&t, 61600, "c"), "a fifth is not");
	tap_ok(&tap, news(&t, 62000, "no answer"), "until one of them is a minute old");
	tap_ok(&tap, trouble_over(&t) && !t.now && !t.told, "it is over");
	tap_ok(&tap, news(&t, 62001, "no answer"), "and what comes then is told at once");
	return tap_done(&tap);
}
