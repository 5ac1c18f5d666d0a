/* SPDX-License-Identifier: Apache-2.0 */
#include "store_table.h"

int
store_failed(struct store *s, const char *what, int rc)
{
	if (!s->failed)
		log_error(s->log, "%s: cannot %s: %s", s->path, what, mdb_strerror(rc));
	s->failed = true;
	return -1;
}

MDB_val
store_value(const void *p, size_t len)
{
	/* LMDB does not write through keys and values that are put. */
	union {
		const void *in;
		void *out;
	} data = {.in = p};

	return (MDB_val){.mv_size = len, .mv_data = data.out};
}

/* 1, 0 or -1 from a get. */
int
store_found(struct store *s, int rc)
{
	if (rc == MDB_NOTFOUND)
		return 0;
	return rc == 0 ? 1 : store_failed(s, "read", rc);
}

int
store_table_get(struct store *s, enum table table, const void *key, size_t len, MDB_val *value)
{
	MDB_val k = store_value(key, len);

	return store_found(s, mdb_get(s->txn, s->tables[table], &k, value));
}

int
store_table_put(struct store *s, enum table table, const void *key, size_t len, MDB_val value)
{
	MDB_val k = store_value(key, len);
	int rc = mdb_put(s->txn, s->tables[table], &k, &value, 0);

	s->pending += len + value.mv_size;
	return rc == 0 ? 0 : store_failed(s, "write", rc);
}

int
store_table_remove(struct store *s, enum table table, const void *key, size_t len)
{
	MDB_val k = store_value(key, len);
	int rc = mdb_del(s->txn, s->tables[table], &k, NULL);

	return rc == 0 || rc == MDB_NOTFOUND ? 0 : store_failed(s, "write", rc);
}
