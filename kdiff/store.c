/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions, and the room for them. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "store_boot.h"
#include "store_bound.h"
#include "store_damage.h"
#include "store_meta.h"
#include "store_table.h"

/* Room that is made before a transaction, and the steps in which the map grows. A transaction
 * that ran out of it would have to be done again. */
static const size_t room = (size_t)32 << 20;
static const size_t temporary_step = (size_t)64 << 20;

/* The file may not grow by what a transaction may need. */
static bool
at_file_limit(const struct store *s)
{
	struct rlimit limit;
	struct stat st;

	return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	       stat(s->path, &st) == 0 && (rlim_t)st.st_size + room > limit.rlim_cur;
}

/* Is that the code of a disk without room? LMDB calls it an input/output error when a write
 * ends short. */
static bool
is_full(const struct store *s, int rc)
{
	struct statvfs fs;

	if (rc == ENOSPC || rc == EDQUOT || rc == EFBIG)
		return true;
	return rc == EIO && (at_file_limit(s) || (statvfs(s->path, &fs) == 0 &&
						     fs.f_bavail * fs.f_frsize < room));
}

/* The answer to a failure: its message, unless it is one that passes. */
static enum store_result
failure(struct store *s, const char *what, int rc)
{
	if (!is_full(s, rc)) {
		store_failed(s, what, rc);
		return STORE_FAILED;
	}
	if (rc == EIO)
		rc = at_file_limit(s) ? EFBIG : ENOSPC;
	s->full = rc;
	return STORE_FULL;
}

/* Makes the map larger until need bytes fit; no transaction may be open. A temporary store's
 * file is written through the map: its blocks are claimed first, so that a full disk is an
 * error here and not a SIGBUS later. */
static enum store_result
make_room(struct store *s, size_t need)
{
	size_t step = s->temporary ? temporary_step : STORE_MAP_STEP;
	size_t size = s->map_size;
	mdb_filehandle_t fd;
	int rc;

	if (!s->temporary)
		need += STORE_MAP_BEHIND;
	while (size - s->used < need)
		size += step;
	if (size == s->map_size)
		return STORE_OK;
	if (s->temporary) {
		rc = mdb_env_get_fd(s->env, &fd);
		if (rc == 0)
			rc = posix_fallocate(fd, 0, (off_t)size);
		if (rc != 0)
			return failure(s, "grow the store", rc);
	}
	rc = mdb_env_set_mapsize(s->env, size);
	if (rc != 0) {
		store_failed(s, "grow the store", rc);
		return STORE_FAILED;
	}
	s->map_size = size;
	return STORE_OK;
}

int
store_note_use(struct store *s)
{
	MDB_envinfo info;
	MDB_stat stat;
	int rc = mdb_env_info(s->env, &info);

	if (rc == 0)
		rc = mdb_env_stat(s->env, &stat);
	if (rc != 0)
		return store_failed(s, "read", rc);
	s->used = (info.me_last_pgno + 1) * stat.ms_psize;
	return 0;
}

enum store_result
store_begin(struct store *s, size_t need)
{
	enum store_result result;
	int rc;

	if (s->failed)
		return STORE_FAILED;
	if (s->txn != NULL)
		return STORE_OK;
	result = make_room(s, room + 2 * need);
	if (result != STORE_OK)
		return result;
	s->full = 0;
	rc = mdb_txn_begin(s->env, NULL, 0, &s->txn);
	s->pending = 0;
	if (rc == 0)
		return STORE_OK;
	store_failed(s, "begin a transaction", rc);
	return STORE_FAILED;
}

int
store_begin_reading(struct store *s)
{
	int rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &s->txn);

	return rc == 0 ? 0 : store_failed(s, "begin to read", rc);
}

void
store_end_reading(struct store *s)
{
	mdb_txn_abort(s->txn);
	s->txn = NULL;
}

bool
store_in_transaction(const struct store *s)
{
	return s->txn != NULL;
}

bool
store_has_room(const struct store *s, size_t need)
{
	return s->used + 2 * (s->pending + need) + room / 2 <= s->map_size;
}

/* A transaction like the one that was lost. */
static enum store_result
begin_again(struct store *s)
{
	enum store_result result = make_room(s, room + 2 * s->redo.len);
	int rc;

	if (result != STORE_OK)
		return result;
	rc = mdb_txn_begin(s->env, NULL, 0, &s->txn);
	if (rc == MDB_PANIC && !s->temporary)
		rc = store_reopen(s) == 0 ? 0 : MDB_PANIC;
	s->pending = 0;
	if (rc == 0)
		rc = store_redo(s);
	if (rc == 0)
		return STORE_OK;
	store_failed(s, "begin a transaction again", rc);
	return STORE_FAILED;
}

/* What must stand on the disk before a commit may. 0, or -1 with errno. */
static int
write_beside(struct store *s)
{
	if (store_bound_raise(&s->dir, &s->seq_bound, s->counts.seq) == -1)
		return -1;
	if (!s->relaxed || s->unsynced)
		return 0;
	if (store_boot_mark(&s->dir) == -1)
		return -1;
	s->unsynced = true;
	return 0;
}

enum store_result
store_commit(struct store *s)
{
	enum store_result result;
	int rc;

	if (s->failed)
		return STORE_FAILED;
	if (s->full != 0) {
		result = begin_again(s);
		if (result != STORE_OK)
			return result;
	} else if (s->txn == NULL) {
		return STORE_OK;
	} else if (memcmp(&s->counts, &s->stored, sizeof(s->counts)) != 0 &&
		   store_meta_put_counts(s) == -1) {
		return STORE_FAILED;
	}
	if (!s->temporary && write_beside(s) == -1) {
		rc = errno;
		mdb_txn_abort(s->txn);
	} else {
		rc = mdb_txn_commit(s->txn);
	}
	s->txn = NULL;
	if (rc != 0)
		return failure(s, "commit", rc);
	s->full = 0;
	s->stored = s->counts;
	store_redo_forget(s);
	return store_note_use(s) == 0 ? STORE_OK : STORE_FAILED;
}

int
store_sync(struct store *s)
{
	int rc;

	if (!s->unsynced)
		return 0;
	rc = mdb_env_sync(s->env, 1);
	if (rc == 0 && store_boot_unmark(&s->dir) == -1)
		rc = errno;
	if (rc != 0) {
		/* What the kernel could not write it does not try again: a next sync that works
		 * would say nothing of it. */
		store_damage_mark(s);
		return store_failed(s, "sync the store", rc);
	}
	s->unsynced = false;
	return 1;
}

const char *
store_full_reason(const struct store *s)
{
	return mdb_strerror(s->full);
}

const char *
store_path(const struct store *s)
{
	return s->path;
}

bool
store_durable(const struct store *s)
{
	return !s->temporary;
}

uint64_t
store_seq(const struct store *s)
{
	return s->counts.seq;
}

uint64_t
store_committed_seq(const struct store *s)
{
	return s->stored.seq;
}

void
store_set_seq(struct store *s, uint64_t seq)
{
	s->counts.seq = seq;
}
