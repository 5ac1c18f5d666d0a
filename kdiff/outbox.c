/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox.h"

#include <string.h>

#include "store_table.h"

/* The fixed part of a row; the small members, then and now follow. */
struct head {
	uint64_t checksum; /* of all that follows, under the key */
	uint64_t then_size;
	uint64_t now_size;
	uint32_t then_len; /* packed */
	uint32_t now_len;
	uint32_t then_kind;
	uint32_t now_kind;
	uint32_t collapsed;
	uint32_t small_len;
	uint8_t type;
	uint8_t then_dictionary;
	uint8_t now_dictionary;
	uint8_t has; /* bits: then, now */
	uint32_t unused;
};

enum { HAS_THEN = 1, HAS_NOW = 2 };

struct key {
	unsigned char bytes[8];
};

static struct key
key_of(uint64_t seq)
{
	struct key key;

	for (int i = 7; i >= 0; i--, seq >>= 8)
		key.bytes[i] = (unsigned char)seq;
	return key;
}

static uint64_t
seq_of(const struct key *key)
{
	uint64_t seq = 0;

	for (size_t i = 0; i < sizeof(key->bytes); i++)
		seq = seq << 8 | key->bytes[i];
	return seq;
}

/* What a row counts for in the outbox's size. */
static uint64_t
cost(size_t value_len)
{
	return sizeof(struct key) + value_len;
}

static uint64_t
checksum(const struct key *key, const char *row, size_t len)
{
	struct head head;

	return store_checksum(key->bytes, sizeof(key->bytes), row + sizeof(head.checksum),
	    len - sizeof(head.checksum));
}

static char *
put(char *to, struct bytes part)
{
	if (part.p != NULL)
		memcpy(to, part.p, part.len);
	return to + part.len;
}

int
outbox_add(struct store *s, const struct outbox_row *r)
{
	struct head head = {
	    .then_size = r->then.size,
	    .now_size = r->now.size,
	    .then_len = (uint32_t)r->then.bytes.len,
	    .now_len = (uint32_t)r->now.bytes.len,
	    .then_kind = r->then.kind,
	    .now_kind = r->now.kind,
	    .collapsed = r->collapsed,
	    .small_len = (uint32_t)r->small.len,
	    .type = (uint8_t)r->type,
	    .then_dictionary = (uint8_t)r->then.dictionary,
	    .now_dictionary = (uint8_t)r->now.dictionary,
	    .has = (uint8_t)((r->then.bytes.p != NULL ? HAS_THEN : 0) |
			     (r->now.bytes.p != NULL ? HAS_NOW : 0)),
	};
	struct key key = key_of(r->seq);
	size_t len = sizeof(head) + r->small.len + r->then.bytes.len + r->now.bytes.len;
	char *row = store_table_reserve(s, OUTBOX, key.bytes, sizeof(key.bytes), len, true);

	if (row == NULL)
		return -1;
	memcpy(row, &head, sizeof(head));
	put(put(put(row + sizeof(head), r->small), r->then.bytes), r->now.bytes);
	head.checksum = checksum(&key, row, len);
	memcpy(row, &head.checksum, sizeof(head.checksum));
	s->counts.outbox_rows++;
	s->counts.outbox_bytes += cost(len);
	return store_table_put_reserved(s);
}

static struct packed
state_of(bool has, uint32_t kind, uint32_t dictionary, uint64_t size, const char *p, size_t len)
{
	return (struct packed){
	    .kind = kind,
	    .dictionary = dictionary,
	    .size = size,
	    .bytes = {has ? p : NULL, len},
	};
}

bool
outbox_parse(struct bytes key, struct bytes value, struct outbox_row *row)
{
	const char *p = value.p;
	struct key at;
	struct head head;

	if (value.len < sizeof(head) || key.len != sizeof(at.bytes))
		return false;
	memcpy(at.bytes, key.p, sizeof(at.bytes));
	memcpy(&head, p, sizeof(head));
	if (head.checksum != checksum(&at, p, value.len) ||
	    value.len - sizeof(head) !=
		(uint64_t)head.small_len + head.then_len + head.now_len ||
	    head.type >= RECORD_TYPES)
		return false;
	p += sizeof(head);
	*row = (struct outbox_row){
	    .seq = seq_of(&at),
	    .type = (enum record_type)head.type,
	    .collapsed = head.collapsed,
	    .small = {p, head.small_len},
	};
	p += head.small_len;
	row->then = state_of((head.has & HAS_THEN) != 0, head.then_kind, head.then_dictionary,
	    head.then_size, p, head.then_len);
	p += head.then_len;
	row->now = state_of((head.has & HAS_NOW) != 0, head.now_kind, head.now_dictionary,
	    head.now_size, p, head.now_len);
	return true;
}

int
outbox_get(struct store *s, uint64_t seq, struct outbox_row *row)
{
	struct key at = key_of(seq);
	MDB_val key = store_value(at.bytes, sizeof(at.bytes));
	MDB_val value;
	MDB_cursor *cursor;
	int have;
	int rc = mdb_cursor_open(s->txn, s->tables[OUTBOX], &cursor);

	if (rc != 0)
		return store_failed(s, "read the outbox", rc);
	have = store_found(s, mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
	/* One that stands below would be found again and again. */
	if (have == 1 && (!outbox_parse((struct bytes){key.mv_data, key.mv_size},
			      (struct bytes){value.mv_data, value.mv_size}, row) ||
			     row->seq < seq))
		have = store_damaged(s, "a row of the outbox");
	mdb_cursor_close(cursor);
	return have;
}

static int
remove_row(struct store *s, uint64_t seq, size_t value_len)
{
	struct key key = key_of(seq);

	s->counts.outbox_rows--;
	s->counts.outbox_bytes -= cost(value_len);
	return store_table_remove(s, OUTBOX, key.bytes, sizeof(key.bytes));
}

int
outbox_remove(struct store *s, const struct outbox_row *r)
{
	return remove_row(s, r->seq,
	    sizeof(struct head) + r->small.len + r->then.bytes.len + r->now.bytes.len);
}

/* The seq of the first row, and its value. 1, 0, -1. */
static int
first_row(struct store *s, uint64_t *seq, MDB_val *value)
{
	struct key at;
	MDB_cursor *cursor;
	MDB_val key;
	int have;
	int rc = mdb_cursor_open(s->txn, s->tables[OUTBOX], &cursor);

	if (rc != 0)
		return store_failed(s, "read the outbox", rc);
	have = store_found(s, mdb_cursor_get(cursor, &key, value, MDB_FIRST));
	mdb_cursor_close(cursor);
	if (have != 1)
		return have;
	if (key.mv_size != sizeof(at.bytes))
		return store_damaged(s, "a row of the outbox");
	memcpy(at.bytes, key.mv_data, sizeof(at.bytes));
	*seq = seq_of(&at);
	return 1;
}

long
outbox_trim(struct store *s, uint64_t seq, long max)
{
	long removed = 0;

	while (removed < max && s->counts.outbox_rows > 0) {
		uint64_t first = 0;
		MDB_val value = {.mv_size = 0};
		int have = first_row(s, &first, &value);

		if (have == 0)
			have = store_damaged(s, "the outbox's count");
		if (have == -1)
			return -1;
		if (first > seq)
			break;
		if (remove_row(s, first, value.mv_size) == -1)
			return -1;
		removed++;
	}
	return removed;
}

uint64_t
outbox_cost(struct bytes value)
{
	return cost(value.len);
}

uint64_t
outbox_rows(const struct store *s)
{
	return s->counts.outbox_rows;
}

uint64_t
outbox_bytes(const struct store *s)
{
	return s->counts.outbox_bytes;
}
