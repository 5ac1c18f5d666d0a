/* SPDX-License-Identifier: Apache-2.0 */
/* The store's inside, for the files that make it up: store_*.c and outbox.c. */
#ifndef STORE_TABLE_H
#define STORE_TABLE_H

#include <limits.h>
#include <lmdb.h>

#include "buf.h"
#include "store.h"
#include "store_dir.h"

/* The steps in which the map of a store that stays grows, and how much of it lies behind what is in
 * use at least. It is address space only. Whatever a damaged page says, all that LMDB then takes
 * for a key or a value (of 4 GiB at most) lies within: reading it is a SIGBUS, which
 * store_damage_watch takes note of, or finds a wrong checksum, but never another's memory. */
#define STORE_MAP_STEP   ((size_t)4 << 30)
#define STORE_MAP_BEHIND (((size_t)4 << 30) + ((size_t)1 << 20))

enum table { META, OBJECTS, NAMES, KINDS, STREAMS, OUTBOX, TABLES };

/* What changes with nearly each transaction; a row of meta. */
struct store_counts {
	uint64_t seq;          /* of the last record */
	uint64_t outbox_rows;  /* in the outbox */
	uint64_t outbox_bytes; /* of them */
};

struct store {
	const struct log *log;
	char path[PATH_MAX];
	bool temporary;
	bool read_only;
	bool is_new;  /* nothing had been committed to it when its tables were opened */
	bool in_use;  /* it is open, and could be marked as damaged */
	bool failed;  /* a message has been written */
	bool damaged; /* something in it makes no sense */
	int full;     /* why the last transaction found no room: LMDB's code; 0: it did */
	struct store_dir dir; /* its descriptors are -1 when the store is a temporary one */
	uint64_t seq_bound;   /* see store_bound.h */
	bool relaxed;         /* commits are not synced */
	bool unsynced;        /* there may be a commit since the last sync */
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi tables[TABLES];
	size_t map_size;
	size_t used;    /* bytes of the map in use at the last commit */
	size_t pending; /* bytes put since, roughly */
	struct store_counts counts;
	struct store_counts stored; /* what the table has of them */
	struct buf object;          /* the row that store_get has handed out */
	/* What the open transaction has changed, so that it can be done again should the commit
	 * find no room: operations, one behind the other (store_redo.c). */
	struct buf redo;
	size_t redo_last; /* where the last one begins */
};

/* Logs what could not be done, once in the store's life. Returns -1. */
int store_failed(struct store *s, const char *what, int rc);
/* 1, 0 or -1 from LMDB's answer to a get. */
int store_found(struct store *s, int rc);

/* Bytes as LMDB takes them. */
MDB_val store_value(const void *p, size_t len);

/* 1, 0, -1; 0, -1; 0 (also when there was none), -1. */
int store_table_get(
    struct store *s, enum table table, const void *key, size_t len, MDB_val *value);
int store_table_put(
    struct store *s, enum table table, const void *key, size_t len, MDB_val value);
int store_table_remove(struct store *s, enum table table, const void *key, size_t len);

/* A put in two steps, for values that are gathered: where value_len bytes go, NULL with a
 * message; then the put itself. append: the key is behind all others of its table. */
char *store_table_reserve(struct store *s, enum table table, const void *key, size_t len,
    size_t value_len, bool append);
int store_table_put_reserved(struct store *s);

/* Does everything that the lost transaction had done in the one now open. An LMDB code. */
int store_redo(struct store *s);
/* The transaction is done: what it did need not be done again. */
void store_redo_forget(struct store *s);

/* Calls fn for each row of the table, as it stands there, until it returns -1; fn may not change
 * anything. 0 or -1. */
int store_walk(struct store *s, enum table table, store_row_fn *fn, void *arg);

/* What rows say; false: they make no sense, or not under that key. Ranges are of the row. */
bool store_object_parse(struct bytes uid, struct bytes row, struct known *known);
bool store_row_parse(struct bytes key, struct bytes row, struct bytes *value);

/* The key of a name; to has STORE_NAME_MAX + 4 bytes. Its length. */
size_t store_name_key(uint32_t kind, struct bytes ns, struct bytes name, unsigned char *to);

/* XXH3-64 of bytes that stand under that key. */
uint64_t store_checksum(const void *key, size_t key_len, const void *p, size_t len);

/* Opens the environment anew, as one must that has failed to write its meta page; with a
 * transaction begun. 0 or -1. */
int store_reopen(struct store *s);
/* Bytes in use, after a commit. 0 or -1. */
int store_note_use(struct store *s);

#endif
