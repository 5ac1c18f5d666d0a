/* SPDX-License-Identifier: Apache-2.0 */
/* What kdiff knows of the cluster, in one LMDB environment: each object's last state, the names
 * that lead to it, the kinds with their dictionaries, the streams with their positions, and the
 * records that are not acknowledged yet.
 *
 * Tables:
 *	meta     "version", "counts"         → numbers
 *	objects  uid                         → head, resourceVersion, namespace, name, packed state
 *	names    kind id, namespace, name    → uid
 *	kinds    group/Kind                  → kind id, dictionary
 *	streams  path                        → see stream_row.h
 *	outbox   seq (big-endian)            → see outbox.h
 * All of them change in one transaction, so that state, positions and records never disagree.
 * Every row but those of names (which lead to one) has a checksum, verified when it is read.
 *
 * All functions log the first failure with the store's place and return -1. */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"

enum { STORE_UID_MAX = 256, STORE_NAME_MAX = 500 };

struct store;

/* Bytes, borrowed. */
struct bytes {
	const char *p;
	size_t len;
};

/* A key of the objects table. */
struct uid_key {
	size_t len;
	unsigned char bytes[STORE_UID_MAX];
};

/* A state as kinds_pack makes it. bytes.p NULL: there is none. */
struct packed {
	uint32_t kind;       /* kind id */
	uint32_t dictionary; /* 1 when packed with the kind's dictionary */
	uint64_t size;       /* unpacked */
	struct bytes bytes;
};

/* One object as the store knows it. What store_get hands out is valid until it, or
 * store_mark_seen, is called again. */
struct known {
	uint64_t hash[2];  /* XXH3-128 without resourceVersion and managedFields */
	uint64_t seq;      /* of the last record about it; 0: there was none */
	uint32_t stream;   /* stream id, 0: it came without one */
	uint32_t snapshot; /* the stream's snapshot number when it was last seen */
	struct bytes resource_version;
	struct bytes ns;
	struct bytes name;
	struct packed state;
};

struct store_options {
	const char *dir; /* where the store lives, made when missing; NULL: a private temporary
			  * file that is not synced and is gone with the process */
	bool read_only;  /* to look at what is there: nothing is made or changed, and a
			  * transaction for reading stays open */
	/* read_only: one to which nothing has been committed yet is no failure; of it, nothing but
	 * store_is_new may be asked. */
	bool may_be_new;
	/* A commit is on the disk when it is done: nothing of it is lost when the power fails.
	 * Otherwise it is once store_sync is called, and at the end. */
	bool sync_always;
	const char *cluster_id; /* whose objects they are, NULL: not told. A store of another
				 * cluster's is refused. */
};

/* NULL with a message when it cannot be; *refused: when it is a store, but not the one that is
 * asked for. A store that is damaged is set aside, with a warning, and a new one begun: then
 * store_lost tells why. */
struct store *store_open(
    const struct log *log, const struct store_options *options, bool *refused);
/* Is there a store in dir? */
bool store_exists(const char *dir);
/* Had nothing been committed to it when it was opened? */
bool store_is_new(const struct store *store);
/* Forgets what is not committed. */
void store_close(struct store *store);

/* Why a store that was here could not be used, until store_lost_told is committed: a word, or
 * NULL. */
const char *store_lost(struct store *store);
/* A record says so. 0 or -1. */
int store_lost_told(struct store *store);

/* Brings what is committed to the disk, when that has not been done. 1: done, 0: there was nothing
 * to do, -1. */
int store_sync(struct store *store);

/* Will the store be there after this process? */
bool store_durable(const struct store *store);

enum store_result {
	STORE_FAILED = -1,
	STORE_OK = 0,
	STORE_FULL, /* the disk has no room: nothing is lost, and the same call may succeed later */
};

/* A transaction is open whenever the others are called; it is begun by need. need: bytes that
 * may be about to be added, for which room is made when a transaction is begun. */
enum store_result store_begin(struct store *store, size_t need);
/* The same for reading alone, at what is committed; store_end_reading ends it. No other
 * transaction may be open. 0 or -1. */
int store_begin_reading(struct store *store);
void store_end_reading(struct store *store);
/* Is a transaction open? */
bool store_in_transaction(const struct store *store);
/* Room for need more bytes in this transaction? If not: commit, begin with that need. */
bool store_has_room(const struct store *store, size_t need);
/* After STORE_FULL the transaction is kept in memory: call it again, and nothing else before. */
enum store_result store_commit(struct store *store);
/* Why it was full, for a message. */
const char *store_full_reason(const struct store *store);
/* Where it is, for messages. */
const char *store_path(const struct store *store);

/* What has been read makes no sense: the next start sets the store aside. Logs it, once in the
 * store's life. Returns -1. */
int store_damaged(struct store *store, const char *what);

/* 1: found, 0: not, -1. */
int store_get(struct store *store, const struct uid_key *uid, struct known *known);
int store_put(struct store *store, const struct uid_key *uid, const struct known *known);
/* Sets stream and snapshot of an object that stands in the store. */
int store_mark_seen(
    struct store *store, const struct uid_key *uid, uint32_t stream, uint32_t snapshot);
int store_remove(struct store *store, const struct uid_key *uid);

/* The uid of a name. 1, 0, -1. */
int store_name_get(struct store *store, uint32_t kind, struct bytes ns, struct bytes name,
    struct uid_key *uid);
int store_name_put(struct store *store, uint32_t kind, struct bytes ns, struct bytes name,
    const struct uid_key *uid);
/* Removes the name when it leads to uid. */
int store_name_remove(struct store *store, uint32_t kind, struct bytes ns, struct bytes name,
    const struct uid_key *uid);

/* Where a walk over the names of a kind stands; zero it to begin. */
struct name_walk {
	size_t len;
	unsigned char key[STORE_NAME_MAX + 4];
};
/* The next uid among the names of the kind, within the namespace unless ns.p is NULL. The store
 * may be changed and committed between the steps. 1, 0 at the end, -1. */
int store_name_next(struct store *store, uint32_t kind, struct bytes ns, struct name_walk *walk,
    struct uid_key *uid);

/* The value of a row in kinds or streams, and setting it. 1, 0, -1. */
enum store_table { STORE_KINDS, STORE_STREAMS };
int store_row_get(
    struct store *store, enum store_table table, struct bytes key, struct bytes *value);
int store_row_put(
    struct store *store, enum store_table table, struct bytes key, struct bytes value);
int store_row_remove(struct store *store, enum store_table table, struct bytes key);
/* Calls fn for each row until it returns -1; fn may not change the table. 0 or -1. */
typedef int store_row_fn(void *arg, struct bytes key, struct bytes value);
int store_row_each(struct store *store, enum store_table table, store_row_fn *fn, void *arg);
/* Objects in the store. */
int store_objects(struct store *store, size_t *n);

/* The sequence number of the last record, of the last that is committed, and setting it. */
uint64_t store_seq(const struct store *store);
uint64_t store_committed_seq(const struct store *store);
void store_set_seq(struct store *store, uint64_t seq);

/* The key for a uid as it stands in JSON, unescaped: a UUID takes 17 bytes, others up to
 * STORE_UID_MAX. -1 when it is longer. */
int uid_key_of(struct bytes uid, struct uid_key *key);

#endif
