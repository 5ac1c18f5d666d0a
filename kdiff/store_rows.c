/* SPDX-License-Identifier: Apache-2.0 */
/* The tables kinds and streams: a value each, with its checksum behind it. */
#include <string.h>

#include "store_table.h"

enum { SUM = sizeof(uint64_t) };

static enum table
table_of(enum store_table table)
{
	return table == STORE_KINDS ? KINDS : STREAMS;
}

bool
store_row_parse(struct bytes key, struct bytes row, struct bytes *value)
{
	uint64_t sum;

	if (row.len < SUM)
		return false;
	*value = (struct bytes){row.p, row.len - SUM};
	memcpy(&sum, value->p + value->len, SUM);
	return sum == store_checksum(key.p, key.len, value->p, value->len);
}

/* 1 or -1. */
static int
take_value(struct store *s, enum store_table table, const MDB_val *key, const MDB_val *row,
    struct bytes *value)
{
	struct bytes k = {key->mv_data, key->mv_size};
	struct bytes r = {row->mv_data, row->mv_size};

	if (store_row_parse(k, r, value))
		return 1;
	return store_damaged(
	    s, table == STORE_KINDS ? "the row of a kind" : "the row of a stream");
}

int
store_row_get(struct store *s, enum store_table table, struct bytes key, struct bytes *value)
{
	MDB_val k = store_value(key.p, key.len);
	MDB_val row;
	int have = store_table_get(s, table_of(table), key.p, key.len, &row);

	return have == 1 ? take_value(s, table, &k, &row, value) : have;
}

int
store_row_put(struct store *s, enum store_table table, struct bytes key, struct bytes value)
{
	uint64_t sum = store_checksum(key.p, key.len, value.p, value.len);
	char *to =
	    store_table_reserve(s, table_of(table), key.p, key.len, value.len + SUM, false);

	if (to == NULL)
		return -1;
	memcpy(to, value.p, value.len);
	memcpy(to + value.len, &sum, SUM);
	return store_table_put_reserved(s);
}

int
store_walk(struct store *s, enum table table, store_row_fn *fn, void *arg)
{
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val value;
	int result = 0;
	int rc = mdb_cursor_open(s->txn, s->tables[table], &cursor);

	if (rc != 0)
		return store_failed(s, "read", rc);
	while (result == 0 && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
		result = fn(arg, (struct bytes){key.mv_data, key.mv_size},
		    (struct bytes){value.mv_data, value.mv_size});
	mdb_cursor_close(cursor);
	if (result == 0 && rc != MDB_NOTFOUND)
		return store_failed(s, "read", rc);
	return result;
}

struct each {
	struct store *store;
	enum store_table table;
	store_row_fn *fn;
	void *arg;
};

static int
each_row(void *arg, struct bytes key, struct bytes row)
{
	struct each *each = arg;
	MDB_val k = store_value(key.p, key.len);
	MDB_val v = store_value(row.p, row.len);
	struct bytes value = {NULL, 0};

	if (take_value(each->store, each->table, &k, &v, &value) == -1)
		return -1;
	return each->fn(each->arg, key, value);
}

int
store_row_each(struct store *s, enum store_table table, store_row_fn *fn, void *arg)
{
	struct each each = {s, table, fn, arg};

	return store_walk(s, table_of(table), each_row, &each);
}

int
store_row_remove(struct store *s, enum store_table table, struct bytes key)
{
	return store_table_remove(s, table_of(table), key.p, key.len);
}

int
store_objects(struct store *s, size_t *n)
{
	MDB_stat stat;
	int rc = mdb_stat(s->txn, s->tables[OBJECTS], &stat);

	if (rc != 0)
		return store_failed(s, "read", rc);
	*n = stat.ms_entries;
	return 0;
}
