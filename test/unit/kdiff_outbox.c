/* SPDX-License-Identifier: Apache-2.0 */
#include "kdiff/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "kdiff/store_table.h"
#include "tap.h"

static struct log quiet = {.tool = "kdiff_outbox", .fd = -1};

static struct store *
open_store(void)
{
	struct store_options options = {.dir = NULL};
	bool refused;

	return store_open(&quiet, &options, &refused);
}

static struct bytes
bytes(const char *text)
{
	return (struct bytes){text, text != NULL ? strlen(text) : 0};
}

static bool
same(struct bytes got, const char *want)
{
	if (want == NULL)
		return got.p == NULL;
	return got.len == strlen(want) && memcmp(got.p, want, got.len) == 0;
}

static struct outbox_row
updated(uint64_t seq)
{
	return (struct outbox_row){
	    .seq = seq,
	    .type = RECORD_UPDATED,
	    .collapsed = 3,
	    .small = bytes(",\"uid\":\"a\""),
	    .then = {.kind = 1, .dictionary = 1, .size = 100, .bytes = bytes("then")},
	    .now = {.kind = 2, .dictionary = 0, .size = 1000, .bytes = bytes("now!!")},
	};
}

static void
round_trip(struct tap *tap, struct store *s)
{
	struct outbox_row row = updated(7);
	struct outbox_row got;
	struct outbox_row gap = {
	    .seq = 9, .type = RECORD_GAP, .small = bytes(",\"stream\":\"\"")};

	tap_ok(tap, outbox_get(s, 0, &got) == 0, "an empty outbox");
	tap_ok(tap, outbox_add(s, &row) == 0 && outbox_add(s, &gap) == 0, "rows are added");
	tap_ok(tap,
	    outbox_get(s, 0, &got) == 1 && got.seq == 7 && got.type == RECORD_UPDATED &&
		got.collapsed == 3 && same(got.small, ",\"uid\":\"a\"") &&
		same(got.then.bytes, "then") && same(got.now.bytes, "now!!") &&
		got.then.kind == 1 && got.then.dictionary == 1 && got.then.size == 100 &&
		got.now.kind == 2 && got.now.dictionary == 0 && got.now.size == 1000,
	    "a row comes back as it was");
	tap_ok(tap,
	    outbox_get(s, 8, &got) == 1 && got.seq == 9 && got.type == RECORD_GAP &&
		same(got.then.bytes, NULL) && same(got.now.bytes, NULL) &&
		same(got.small, ",\"stream\":\"\""),
	    "the first one that is not below; one without states");
	tap_ok(tap, outbox_get(s, 10, &got) == 0, "none is behind the last");
	tap_ok(tap, outbox_trim(s, 9, 10) == 2 && outbox_rows(s) == 0 && outbox_bytes(s) == 0,
	    "gone, and nothing is left of them");
}

static void
order(struct tap *tap, struct store *s)
{
	struct outbox_row got;
	uint64_t each;
	bool ok = true;

	/* Across a byte's and two bytes' limit. */
	for (uint64_t seq = 200; seq < 70000; seq += 97) {
		struct outbox_row row = updated(seq);

		ok &= outbox_add(s, &row) == 0;
	}
	each = outbox_bytes(s) / outbox_rows(s);
	tap_ok(tap, ok && outbox_rows(s) == 720 && outbox_bytes(s) == 720 * each,
	    "each counts for the same");
	for (uint64_t seq = 200; seq < 70000; seq += 97)
		ok &= outbox_get(s, seq - 96, &got) == 1 && got.seq == seq;
	tap_ok(tap, ok, "they stand in the order of their numbers");
	tap_ok(tap,
	    outbox_get(s, 394, &got) == 1 && outbox_remove(s, &got) == 0 &&
		outbox_get(s, 394, &got) == 1 && got.seq == 491 && outbox_rows(s) == 719 &&
		outbox_bytes(s) == 719 * each,
	    "one from the middle is removed");
	tap_ok(tap,
	    outbox_trim(s, 200 + 10 * 97, 4) == 4 && outbox_trim(s, 200 + 10 * 97, 100) == 6 &&
		outbox_get(s, 0, &got) == 1 && got.seq == 200 + 11 * 97 &&
		outbox_trim(s, 200 + 10 * 97, 100) == 0,
	    "all up to a number, some at a time");
	tap_ok(tap, outbox_trim(s, UINT64_MAX, 100000) == 709 && outbox_rows(s) == 0, "all");
}

/* A commit that finds no room is done again from memory. */
static void
redo(struct tap *tap, struct store *s)
{
	struct outbox_row row = updated(100000);
	struct outbox_row other = updated(100001);
	struct outbox_row got;

	outbox_add(s, &row);
	store_commit(s);
	store_begin(s, 0);
	outbox_trim(s, 100000, 1);
	outbox_add(s, &other);
	store_set_seq(s, 100001);
	/* As store_commit leaves it when the disk is full. */
	mdb_txn_abort(s->txn);
	s->txn = NULL;
	s->full = 28;
	tap_ok(tap, store_committed_seq(s) != 100001, "what is not committed is known");
	tap_ok(tap, store_commit(s) == STORE_OK && store_committed_seq(s) == 100001,
	    "a lost transaction is done again");
	tap_ok(tap,
	    store_begin_reading(s) == 0 && outbox_get(s, 0, &got) == 1 && got.seq == 100001 &&
		same(got.then.bytes, "then") && outbox_get(s, 100002, &got) == 0 &&
		outbox_rows(s) == 1,
	    "with all that it did");
	store_end_reading(s);
	store_begin(s, 0);
	outbox_trim(s, 100001, 1);
	store_commit(s);
	tap_ok(tap, s->redo.len == 0, "what is committed is forgotten");
	store_begin(s, 0);
}

static void
damage(struct tap *tap, struct store *s, size_t at)
{
	unsigned char key[8] = {0, 0, 0, 0, 0, 1, 0, 0};
	char copy[400];
	struct outbox_row row = updated(65536);
	struct outbox_row got;
	MDB_val value = {0};
	bool ok = outbox_add(s, &row) == 0 &&
		  store_table_get(s, OUTBOX, key, sizeof(key), &value) == 1 &&
		  value.mv_size < sizeof(copy) && at < value.mv_size;

	if (ok) {
		memcpy(copy, value.mv_data, value.mv_size);
		copy[at] ^= 0x10;
		value.mv_data = copy;
		ok = store_table_put(s, OUTBOX, key, sizeof(key), value) == 0 &&
		     outbox_get(s, 65536, &got) == -1 && s->failed;
	}
	tap_ok(tap, ok && store_commit(s) == STORE_FAILED,
	    "a row with one bit changed is found out, and nothing is committed any more");
}

int
main(void)
{
	static const size_t bits[] = {0, 20, 60, 74};
	struct tap tap = {0};
	struct store *s = open_store();

	if (!tap_ok(&tap, s != NULL && store_begin(s, 0) == STORE_OK, "a store"))
		return tap_done(&tap);
	round_trip(&tap, s);
	order(&tap, s);
	redo(&tap, s);
	store_close(s);
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		s = open_store();
		if (s != NULL && store_begin(s, 0) == STORE_OK)
			damage(&tap, s, bits[i]);
		store_close(s);
	}
	return tap_done(&tap);
}
