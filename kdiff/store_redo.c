/* SPDX-License-Identifier: Apache-2.0 */
/* What a transaction changes goes through here, and is remembered until it is committed: a
 * commit that finds the disk full loses the transaction, and with it input that nobody sends
 * again. */
#include <errno.h>
#include <string.h>

#include "store_table.h"

/* An operation in the redo buffer: this, the key, the value. */
struct op {
	uint8_t table;
	bool remove;
	bool append;
	uint32_t key_len;
	uint64_t value_len;
};

/* What one batch took is kept for the next; more than that is given back. */
static const size_t keep = (size_t)4 << 20;

/* Room for an operation at the end; where its value goes. NULL with a message. */
static char *
add_op(struct store *s, const struct op *op, const void *key)
{
	size_t at = s->redo.len;
	size_t len = sizeof(*op) + op->key_len + op->value_len;
	char *to = buf_reserve(&s->redo, len);

	if (to == NULL) {
		store_failed(s, "keep a change", errno);
		return NULL;
	}
	memcpy(to, op, sizeof(*op));
	memcpy(to + sizeof(*op), key, op->key_len);
	s->redo.len += len;
	s->redo_last = at;
	return to + sizeof(*op) + op->key_len;
}

/* Does the operation that stands there; *len: how many bytes it takes. */
static int
do_op(struct store *s, const char *at, size_t *len)
{
	struct op op;
	MDB_val key;
	MDB_val value;
	int rc;

	memcpy(&op, at, sizeof(op));
	*len = sizeof(op) + op.key_len + op.value_len;
	key = store_value(at + sizeof(op), op.key_len);
	if (op.remove) {
		rc = mdb_del(s->txn, s->tables[op.table], &key, NULL);
		return rc == MDB_NOTFOUND ? 0 : rc;
	}
	value = store_value(at + sizeof(op) + op.key_len, op.value_len);
	s->pending += op.key_len + op.value_len;
	return mdb_put(s->txn, s->tables[op.table], &key, &value, op.append ? MDB_APPEND : 0);
}

static int
do_last(struct store *s)
{
	size_t len;
	int rc = do_op(s, s->redo.data + s->redo_last, &len);

	return rc == 0 ? 0 : store_failed(s, "write", rc);
}

char *
store_table_reserve(struct store *s, enum table table, const void *key, size_t len,
    size_t value_len, bool append)
{
	struct op op = {
	    .table = (uint8_t)table,
	    .append = append,
	    .key_len = (uint32_t)len,
	    .value_len = value_len,
	};

	return add_op(s, &op, key);
}

int
store_table_put_reserved(struct store *s)
{
	return do_last(s);
}

int
store_table_put(struct store *s, enum table table, const void *key, size_t len, MDB_val value)
{
	char *to = store_table_reserve(s, table, key, len, value.mv_size, false);

	if (to == NULL)
		return -1;
	if (value.mv_size > 0)
		memcpy(to, value.mv_data, value.mv_size);
	return do_last(s);
}

int
store_table_remove(struct store *s, enum table table, const void *key, size_t len)
{
	struct op op = {.table = (uint8_t)table, .remove = true, .key_len = (uint32_t)len};

	return add_op(s, &op, key) == NULL ? -1 : do_last(s);
}

int
store_redo(struct store *s)
{
	size_t len;
	int rc = 0;

	for (size_t at = 0; rc == 0 && at < s->redo.len; at += len)
		rc = do_op(s, s->redo.data + at, &len);
	return rc;
}

void
store_redo_forget(struct store *s)
{
	s->redo.len = 0;
	buf_shrink(&s->redo, keep);
}
