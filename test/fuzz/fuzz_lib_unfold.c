/* SPDX-License-Identifier: Apache-2.0 */
/* A List taken apart: the pieces in which it comes change nothing, and its items put back into
 * its rest are the document, as a real parser (libjq's) sees it. The first byte of the input is
 * the level and the seed of the pieces' sizes. */
#include <jv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "unfold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The name is the sanitizer's: NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl*) */
const char *__lsan_default_suppressions(void);

/* libjq 1.6 loses some values of texts that it refuses. Our own leaks are still found. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:jv_mem_alloc\n";
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl*) */

enum { CAP = 1024 * 1024 };

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

struct run {
	struct unfold *u;
	struct buf whole; /* the rest with the items in their place */
	size_t rest_len;  /* of the rest, what stands in whole */
	size_t in_array;  /* items since the last byte of the rest */
	size_t n;
	size_t taken;
	int done;
	int failed;
};

/* What has come of the rest since the last time. */
static void
add_rest(struct run *r)
{
	size_t len;
	const char *rest = unfold_rest(r->u, &len);

	CHECK(len >= r->rest_len);
	if (len > r->rest_len) {
		CHECK(buf_add(&r->whole, rest + r->rest_len, len - r->rest_len) == 0);
		r->in_array = 0;
	}
	r->rest_len = len;
}

static int
take(void *arg, const char *json, size_t len)
{
	struct run *r = arg;

	CHECK(len >= 2 && json[0] == '{' && (json[len - 1] == '}' || json[len - 1] == ']'));
	add_rest(r);
	CHECK(r->in_array == 0 || buf_add(&r->whole, ",", 1) == 0);
	CHECK(buf_add(&r->whole, json, len) == 0);
	r->in_array++;
	r->n++;
	CHECK(unfold_items(r->u) == r->n);
	return 0;
}

static struct run
feed(int level, const char *text, size_t len, unsigned seed)
{
	struct run r = {.n = 0};
	long taken = 0;

	buf_init(&r.whole, 4 * (size_t)CAP);
	r.u = unfold_open(level, CAP, take, &r);
	CHECK(r.u != NULL);
	while (r.taken < len && taken != -1 && !unfold_done(r.u)) {
		size_t n = len - r.taken;

		seed = seed * 1664525 + 1013904223;
		if (seed != 0 && n > 1 + (seed >> 16) % 80)
			n = 1 + (seed >> 16) % 80;
		/* A copy of its own, so that a sanitizer sees what reads beyond it. */
		char *piece = malloc(n);

		CHECK(piece != NULL);
		memcpy(piece, text + r.taken, n);
		taken = unfold_feed(r.u, piece, n);
		free(piece);
		if (taken > 0)
			r.taken += (size_t)taken;
	}
	r.failed = taken == -1;
	r.done = unfold_done(r.u);
	CHECK(!r.failed || unfold_error(r.u) != NULL);
	if (!r.failed)
		add_rest(&r);
	unfold_close(r.u);
	return r;
}

static struct run
feed_whole(int level, const char *text, size_t len)
{
	struct run r = {.n = 0};
	long taken;

	buf_init(&r.whole, 4 * (size_t)CAP);
	r.u = unfold_open(level, CAP, take, &r);
	CHECK(r.u != NULL);
	taken = unfold_feed(r.u, text, len);
	r.failed = taken == -1;
	r.taken = taken > 0 ? (size_t)taken : 0;
	r.done = unfold_done(r.u);
	if (!r.failed)
		add_rest(&r);
	unfold_close(r.u);
	return r;
}

static void
check_document(const struct run *r, const char *text)
{
	jv theirs = jv_parse_sized(text, (int)r->taken);
	jv mine;

	if (!jv_is_valid(theirs)) {
		jv_free(theirs);
		return;
	}
	mine = jv_parse_sized(r->whole.data, (int)r->whole.len);
	CHECK(jv_is_valid(mine));
	CHECK(jv_equal(
	    jv_dump_string(mine, JV_PRINT_SORTED), jv_dump_string(theirs, JV_PRINT_SORTED)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	struct run whole;
	struct run pieces;
	int level;

	if (size < 2)
		return 0;
	size--;
	level = 1 + (data[0] & 1);
	whole = feed_whole(level, text, size);
	pieces = feed(level, text, size, data[0]);
	CHECK(
	    whole.failed == pieces.failed && whole.done == pieces.done && whole.n == pieces.n);
	if (!whole.failed) {
		CHECK(whole.taken == pieces.taken && whole.whole.len == pieces.whole.len &&
		      memcmp(whole.whole.data != NULL ? whole.whole.data : "",
			  pieces.whole.data != NULL ? pieces.whole.data : "",
			  whole.whole.len) == 0);
	}
	if (whole.done)
		check_document(&whole, text);
	buf_free(&whole.whole);
	buf_free(&pieces.whole);
	return 0;
}
