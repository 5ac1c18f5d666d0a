/* SPDX-License-Identifier: Apache-2.0 */
/* Lists taken apart: the items, the rest, and that the sizes in which bytes come change
 * nothing. */
#include "unfold.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "tap.h"

enum { CAP = 1024 * 1024 };

struct result {
	struct buf items; /* a line each */
	struct buf rest;
	size_t n;
	size_t taken;
	bool done;
	const char *error;
	size_t refuse; /* the item whose callback says -1; 0: none */
};

static int
take(void *arg, const char *json, size_t len)
{
	struct result *r = arg;

	r->n++;
	buf_add(&r->items, json, len);
	buf_add(&r->items, "\n", 1);
	return r->n == r->refuse ? -1 : 0;
}

/* Feeds text in pieces of chunk bytes, or of random sizes when chunk is 0. */
static struct result
feed(int level, size_t max, const char *text, size_t len, size_t chunk, size_t refuse)
{
	struct result r = {.refuse = refuse};
	struct unfold *u = unfold_open(level, max, take, &r);
	unsigned seed = 5;
	const char *rest;
	size_t rest_len;
	long taken = 0;

	buf_init(&r.items, CAP);
	buf_init(&r.rest, CAP);
	while (r.taken < len && !unfold_done(u) && taken != -1) {
		size_t n = chunk;

		seed = seed * 1664525 + 1013904223;
		if (n == 0)
			n = 1 + (seed >> 8) % 150;
		if (n > len - r.taken)
			n = len - r.taken;
		taken = unfold_feed(u, text + r.taken, n);
		if (taken > 0)
			r.taken += (size_t)taken;
	}
	r.done = unfold_done(u);
	r.error = taken == -1 ? (unfold_error(u) != NULL ? unfold_error(u) : "stopped") : NULL;
	rest = unfold_rest(u, &rest_len);
	buf_add(&r.rest, rest_len > 0 ? rest : "", rest_len);
	buf_terminate(&r.rest);
	buf_terminate(&r.items);
	unfold_close(u);
	return r;
}

static void
result_free(struct result *r)
{
	buf_free(&r->items);
	buf_free(&r->rest);
}

static bool
same(const struct result *a, const struct result *b)
{
	return a->n == b->n && a->done == b->done && (a->error == NULL) == (b->error == NULL) &&
	       strcmp(a->items.data, b->items.data) == 0 &&
	       strcmp(a->rest.data, b->rest.data) == 0 &&
	       (a->error != NULL || a->taken == b->taken);
}

/* Takes the text apart; checks items and rest, and that no way of feeding it changes them. */
static void
check(struct tap *tap, const char *name, int level, const char *text, const char *items,
    const char *rest)
{
	size_t len = strlen(text);
	struct result all = feed(level, CAP, text, len, len, 0);
	bool ok = all.done && all.error == NULL && strcmp(all.items.data, items) == 0 &&
		  strcmp(all.rest.data, rest) == 0;
	char label[120];

	snprintf(label, sizeof(label), "%s", name);
	tap_ok(tap, ok, label);
	if (!ok)
		printf("# done %d error %s\n# items %s\n# rest %s\n", all.done, all.error,
		    all.items.data, all.rest.data);
	ok = true;
	for (size_t chunk = 0; chunk <= 130; chunk++) {
		struct result r = feed(level, CAP, text, len, chunk, 0);

		ok = ok && same(&all, &r);
		result_free(&r);
	}
	snprintf(label, sizeof(label), "%s: the same in pieces of any size", name);
	tap_ok(tap, ok, label);
	result_free(&all);
}

static void
lists(struct tap *tap)
{
	check(tap, "a LIST's body", 1,
	    "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":"
	    "\"9\"},"
	    "\"items\":[{\"a\":\"]}\\\"\"},{\"items\":[{}]},{}]}\n",
	    "{\"a\":\"]}\\\"\"}\n{\"items\":[{}]}\n{}\n",
	    "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":"
	    "\"9\"},\"items\":[]}");
	check(tap, "a CRD's list, with metadata after the items", 1,
	    "{\"apiVersion\":\"x/"
	    "v1\",\"items\":[{\"b\":1}],\"kind\":\"WList\",\"metadata\":{\"continue\":\"\"}}",
	    "{\"b\":1}\n",
	    "{\"apiVersion\":\"x/"
	    "v1\",\"items\":[],\"kind\":\"WList\",\"metadata\":{\"continue\":\"\"}}");
	check(tap, "no items", 1, "{\"items\":[],\"kind\":\"PodList\"}", "",
	    "{\"items\":[],\"kind\":\"PodList\"}");
	check(tap, "items null", 1, "{\"items\":null}", "", "{\"items\":null}");
	check(tap, "no member items at all", 1,
	    "{\"kind\":\"Status\",\"details\":{\"items\":[{}]}}", "",
	    "{\"kind\":\"Status\",\"details\":{\"items\":[{}]}}");
	check(tap, "kubectl's indented List in an event", 2,
	    "{\n    \"type\": \"ADDED\",\n    \"object\": {\n        \"apiVersion\": \"v1\",\n "
	    "       \"items\": [\n"
	    "            {\n                \"data\": {\n                    \"k\": \"a  "
	    "b\\n\"\n                }\n"
	    "            },\n            {}\n        ],\n        \"kind\": \"List\",\n        "
	    "\"metadata\": {\n"
	    "            \"resourceVersion\": \"\"\n        }\n    }\n}\n",
	    "{\"data\":{\"k\":\"a  b\\n\"}}\n{}\n",
	    "{\"type\":\"ADDED\",\"object\":{\"apiVersion\":\"v1\",\"items\":[],\"kind\":"
	    "\"List\","
	    "\"metadata\":{\"resourceVersion\":\"\"}}}");
	check(tap, "a List in an event, known by its kind", 2,
	    "{\"type\":\"ADDED\",\"object\":{\"kind\":\"WList\",\"apiVersion\":\"x/"
	    "v1\",\"items\":[{},{}]}}",
	    "{}\n{}\n",
	    "{\"type\":\"ADDED\",\"object\":{\"kind\":\"WList\",\"apiVersion\":\"x/"
	    "v1\",\"items\":[]}}");
	check(tap, "an object in an event, whose items are its own", 2,
	    "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Menu\",\"apiVersion\":\"x/"
	    "v1\",\"items\":[{\"dish\":1}]}}",
	    "",
	    "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Menu\",\"apiVersion\":\"x/"
	    "v1\",\"items\":[{\"dish\":1}]}}");
	check(tap, "items further in are none", 2,
	    "{\"type\":\"ADDED\",\"object\":{\"apiVersion\":\"v1\",\"data\":{\"items\":[{}],"
	    "\"x\":\"\\\"items\\\":[\"}}}",
	    "",
	    "{\"type\":\"ADDED\",\"object\":{\"apiVersion\":\"v1\",\"data\":{\"items\":[{}],"
	    "\"x\":\"\\\"items\\\":[\"}}}");
	check(tap, "white space in strings stays, between tokens it goes", 1,
	    " \r\n{ \"a b\" : [ \"c\td\" , 1 ] ,\t\"items\" : [ { \"e  f\" : \"\\\\\" } ] } ",
	    "{\"e  f\":\"\\\\\"}\n", "{\"a b\":[\"c\td\",1],\"items\":[]}");
}

static void
bad(struct tap *tap)
{
	static const char *const texts[] = {"]", "[]", "1", "x{}", "{\"items\":[1]}",
	    "{\"items\":[{},1]}", "{\"items\":[[]]}", "{\"items\":[\"a\"]}", "\v{}"};
	struct result r;
	char name[80];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		r = feed(1, CAP, texts[i], strlen(texts[i]), strlen(texts[i]), 0);
		snprintf(name, sizeof(name), "refused: bad text %zu", i);
		tap_ok(tap, r.error != NULL && !r.done, name);
		result_free(&r);
	}
	r = feed(1, CAP, "{\"a\":\0}", 7, 7, 0);
	tap_ok(tap, r.error != NULL && strcmp(r.error, "invalid byte outside a string") == 0,
	    "a NUL byte is not passed over as white space");
	result_free(&r);
	r = feed(1, CAP, "{\"items\":[{}\0]}", 15, 1, 0);
	tap_ok(tap, r.error != NULL, "nor between items");
	result_free(&r);
	r = feed(1, CAP, "{}\0{", 4, 4, 0);
	tap_ok(tap, r.error == NULL && r.done && r.taken == 2,
	    "what follows the document is not looked at");
	result_free(&r);
	r = feed(1, CAP, "{\"items\":[{},{},{}]}", 20, 20, 2);
	tap_ok(tap, r.error != NULL && strcmp(r.error, "stopped") == 0 && r.n == 2,
	    "an item's callback stops it");
	result_free(&r);
	for (size_t n = 0; n < 19; n++) {
		r = feed(1, CAP, "{\"items\":[{\"a\":1}]}", n, 3, 0);
		if (r.done || r.error != NULL)
			tap_ok(tap, false, "a cut document is not done");
		result_free(&r);
	}
}

static void
caps(struct tap *tap)
{
	char text[1400];
	struct result r;
	struct unfold *u;

	snprintf(
	    text, sizeof(text), "{\"items\":[{\"a\":\"%0200d\"},{\"a\":\"%01000d\"}]}", 0, 0);
	r = feed(1, 500, text, strlen(text), 64, 0);
	tap_ok(tap, r.n == 1 && r.error != NULL && strcmp(r.error, "too large") == 0,
	    "an item over the cap");
	result_free(&r);
	r = feed(1, 1200, text, strlen(text), 64, 0);
	tap_ok(tap, r.n == 2 && r.done, "the cap is for each item, not for their sum");
	result_free(&r);
	snprintf(text, sizeof(text), "{\"a\":\"%01000d\",\"items\":[]}", 0);
	r = feed(1, 500, text, strlen(text), 64, 0);
	tap_ok(
	    tap, r.error != NULL && strcmp(r.error, "too large") == 0, "a rest over the cap");
	result_free(&r);

	r = (struct result){.n = 0};
	buf_init(&r.items, CAP);
	u = unfold_open(1, CAP, take, &r);
	tap_ok(tap, unfold_feed(u, "{\"items\":[1", 11) == -1 && unfold_feed(u, "{}", 2) == -1,
	    "an error stays");
	unfold_reset(u);
	tap_ok(tap,
	    unfold_error(u) == NULL && unfold_feed(u, "{\"items\":[{}]}", 14) == 14 &&
		unfold_done(u) && unfold_items(u) == 1,
	    "until the reset");
	unfold_close(u);
	unfold_close(NULL);
	buf_free(&r.items);
}

int
main(void)
{
	struct tap tap = {0};

	lists(&tap);
	bad(&tap);
	caps(&tap);
	return tap_done(&tap);
}
