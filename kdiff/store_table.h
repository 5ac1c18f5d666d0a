/* SPDX-License-Identifier: Apache-2.0 */
/* The store's inside, for the files that make it up: store.c and store_names.c. */
#ifndef STORE_TABLE_H
#define STORE_TABLE_H

#include <limits.h>
#include <lmdb.h>

#include "store.h"

enum table { META, OBJECTS, NAMES, KINDS, STREAMS, TABLES };

struct store {
	const struct log *log;
	char path[PATH_MAX];
	bool temporary;
	bool failed; /* a message has been written */
	int lock_fd;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi tables[TABLES];
	size_t map_size;
	size_t used;    /* bytes of the map in use at the last commit */
	size_t pending; /* bytes put since, roughly */
	uint64_t seq;
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

#endif
