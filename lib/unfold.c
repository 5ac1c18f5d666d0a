/* SPDX-License-Identifier: Apache-2.0 */
#include "unfold.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json_block.h"

/* Where the next byte belongs. */
enum place {
	BEFORE,        /* the document has not begun */
	IN_REST,       /* outside "items" */
	BETWEEN_ITEMS, /* within "items", outside an item */
	IN_ITEM,
	DONE,
	FAILED,
};

/* Memory that is kept from one document to the next. */
static const size_t KEEP = (size_t)1 << 20;

struct unfold {
	unsigned level;
	unfold_item *item_fn;
	void *arg;
	enum place place;
	unsigned depth; /* brackets open */
	struct block_state state;
	struct buf rest;
	struct buf item;
	size_t items;
	const char *error;
};

struct unfold *
unfold_open(int level, size_t max, unfold_item *item, void *arg)
{
	struct unfold *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return NULL;
	u->level = (unsigned)level;
	u->item_fn = item;
	u->arg = arg;
	buf_init(&u->rest, max);
	buf_init(&u->item, max);
	return u;
}

void
unfold_close(struct unfold *u)
{
	if (u == NULL)
		return;
	buf_free(&u->rest);
	buf_free(&u->item);
	free(u);
}

void
unfold_reset(struct unfold *u)
{
	u->place = BEFORE;
	u->depth = 0;
	u->state = (struct block_state){0};
	u->rest.len = u->item.len = 0;
	u->items = 0;
	u->error = NULL;
	buf_shrink(&u->item, KEEP);
	buf_shrink(&u->rest, KEEP);
}

static int
fail(struct unfold *u, const char *why)
{
	u->place = FAILED;
	u->error = why;
	return -1;
}

/* What is passed over between tokens is white space: a NUL is not. */
static bool
is_white_space(const char *p, uint64_t control)
{
	for (; control != 0; control &= control - 1) {
		char byte = p[__builtin_ctzll(control)];

		if (byte != '\n' && byte != '\r' && byte != '\t')
			return false;
	}
	return true;
}

/* Bytes [from, to) of the block go where they belong, without the white space. */
static int
keep(struct unfold *u, const char *p, const struct block *b, unsigned from, unsigned to)
{
	uint64_t range;
	uint64_t keep;
	struct buf *buf;
	char *out;

	if (from == to)
		return 0;
	range = (to == BLOCK ? ~0ULL : (1ULL << to) - 1) & ~((1ULL << from) - 1);
	keep = range & ~b->space;
	if (!is_white_space(p, b->control & b->space & range))
		return fail(u, "invalid byte outside a string");
	if (u->place == BEFORE)
		return keep == 0 ? 0 : fail(u, "expected an object");
	if (u->place == BETWEEN_ITEMS) {
		for (; keep != 0; keep &= keep - 1) {
			if (p[__builtin_ctzll(keep)] != ',')
				return fail(u, "an item of the list is not an object");
		}
		return 0;
	}
	buf = u->place == IN_ITEM ? &u->item : &u->rest;
	out = buf_reserve(buf, BLOCK);
	if (out == NULL)
		return fail(u, errno == EFBIG ? "too large" : "out of memory");
	if (keep == range) {
		memcpy(out, p + from, to - from);
		buf->len += to - from;
		return 0;
	}
	for (; keep != 0; keep &= keep - 1)
		*out++ = p[__builtin_ctzll(keep)];
	buf->len = (size_t)(out - buf->data);
	return 0;
}

/* Does the rest end in the member name "items", of what may be a List? At level 2, where any
 * object may stand, one whose kind has come and is none is not; where members are sorted, as
 * kubectl does, the kind comes behind the items and cannot be waited for. */
static int
begins_items(const struct unfold *u)
{
	static const char name[] = "\"items\":";
	size_t n = sizeof(name) - 1;
	const char *end = u->rest.data + u->rest.len;

	if (u->depth != u->level || u->rest.len <= n || memcmp(end - n, name, n) != 0 ||
	    (end[-(long)n - 1] != '{' && end[-(long)n - 1] != ','))
		return 0;
	return u->level == 1 || memmem(u->rest.data, u->rest.len, "\"kind\":\"", 8) == NULL ||
	       memmem(u->rest.data, u->rest.len, "List\",", 6) != NULL;
}

/* The bracket at p[at]; bytes before it from *from on are still to be kept. */
static int
opened(struct unfold *u, const char *p, const struct block *b, unsigned *from, unsigned at)
{
	if (u->place == IN_ITEM || (u->place == IN_REST && u->depth != u->level)) {
		u->depth++; /* stays among the bytes to be kept */
		return 0;
	}
	if (keep(u, p, b, *from, at) == -1)
		return -1;
	*from = at;
	if (u->place == BEFORE) {
		if (p[at] != '{')
			return fail(u, "expected an object");
		u->place = IN_REST;
	} else if (u->place == BETWEEN_ITEMS) {
		if (p[at] != '{')
			return fail(u, "an item of the list is not an object");
		u->place = IN_ITEM;
		u->item.len = 0;
	} else if (p[at] == '[' && begins_items(u)) {
		if (keep(u, p, b, at, at + 1) == -1)
			return -1;
		*from = at + 1;
		u->place = BETWEEN_ITEMS;
	}
	u->depth++;
	return 0;
}

static int
closed(struct unfold *u, const char *p, const struct block *b, unsigned *from, unsigned at)
{
	if (u->depth == 0)
		return fail(u, "expected an object");
	u->depth--;
	if (u->place == IN_ITEM && u->depth == u->level + 1) {
		if (keep(u, p, b, *from, at + 1) == -1)
			return -1;
		*from = at + 1;
		u->items++;
		u->place = BETWEEN_ITEMS;
		if (u->item_fn(u->arg, u->item.data, u->item.len) == -1) {
			u->place = FAILED;
			return -1;
		}
	} else if (u->place == BETWEEN_ITEMS) {
		if (keep(u, p, b, *from, at) == -1)
			return -1;
		*from = at;
		u->place = IN_REST;
	} else if (u->depth == 0) {
		if (keep(u, p, b, *from, at + 1) == -1)
			return -1;
		*from = at + 1;
		u->place = DONE;
	}
	return 0;
}

/* One block; returns how many of its n bytes were taken, or -1. */
static int
feed_block(struct unfold *u, const char *p, unsigned n)
{
	unsigned from = 0;
	struct block b;

	json_classify(p, n, &u->state, &b);
	for (uint64_t ops = b.open | b.close; ops != 0; ops &= ops - 1) {
		unsigned at = (unsigned)__builtin_ctzll(ops);

		if ((b.open >> at & 1 ? opened : closed)(u, p, &b, &from, at) == -1)
			return -1;
		if (u->place == DONE)
			return (int)at + 1;
	}
	return keep(u, p, &b, from, n) == -1 ? -1 : (int)n;
}

long
unfold_feed(struct unfold *u, const char *bytes, size_t n)
{
	size_t taken = 0;

	if (u->place == FAILED)
		return -1;
	while (taken < n && u->place != DONE) {
		size_t left = n - taken;
		int more = feed_block(u, bytes + taken, left < BLOCK ? (unsigned)left : BLOCK);

		if (more == -1)
			return -1;
		taken += (size_t)more;
	}
	return (long)taken;
}

int
unfold_done(const struct unfold *u)
{
	return u->place == DONE;
}

const char *
unfold_error(const struct unfold *u)
{
	return u->error;
}

const char *
unfold_rest(const struct unfold *u, size_t *len)
{
	*len = u->rest.len;
	return u->rest.data;
}

size_t
unfold_items(const struct unfold *u)
{
	return u->items;
}
