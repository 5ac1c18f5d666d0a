/* SPDX-License-Identifier: Apache-2.0 */
#include "store_table.h"

#include <xxhash.h>

#include "store_damage.h"

int
store_failed(struct store *s, const char *what, int rc)
{
	bool damaged = store_damage_is(rc);

	if (!s->failed)
		log_error(s->log, "%s: %scannot %s: %s%s", s->path,
		    damaged ? "the store is damaged: " : "", what, mdb_strerror(rc),
		    damaged && s->in_use ? ": the next start sets the store aside" : "");
	s->failed = true;
	if (damaged)
		store_damage_mark(s);
	return -1;
}

int
store_damaged(struct store *s, const char *what)
{
	if (!s->failed)
		log_error(s->log, "%s: %s is damaged%s", s->path, what,
		    s->in_use ? ": the next start sets the store aside" : "");
	s->failed = true;
	store_damage_mark(s);
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

/* The key is hashed too: a row that stands under another's key is as wrong as one that has
 * changed. */
uint64_t
store_checksum(const void *key, size_t key_len, const void *p, size_t len)
{
	return XXH3_64bits_withSeed(p, len, XXH3_64bits(key, key_len));
}
