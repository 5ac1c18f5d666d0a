/* SPDX-License-Identifier: Apache-2.0 */
/* Where a store is, and whether it is one that this program can use. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_table.h"

#define STORE_VERSION 2

static const char *const table_names[TABLES] = {
    "meta", "objects", "names", "kinds", "streams", "outbox"};

static const char version_key[] = "version";
static const char counts_key[] = "counts";

/* DIR/lock is held while the store is open: LMDB's own locking is off. */
static int
lock_directory(struct store *s, const char *dir)
{
	if (!s->read_only && mkdir(dir, 0700) == -1 && errno != EEXIST) {
		log_error(
		    s->log, "%s: cannot make the state directory: %s", dir, strerror(errno));
		return -1;
	}
	if ((size_t)snprintf(s->path, sizeof(s->path), "%s/lock", dir) >= sizeof(s->path)) {
		log_error(s->log, "%s: the path is too long", dir);
		return -1;
	}
	s->lock_fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd == -1) {
		log_error(s->log, "%s: cannot write in the state directory: %s", s->path,
		    strerror(errno));
		return -1;
	}
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == -1) {
		log_error(s->log, "%s: another kdiff uses this state directory", dir);
		return -1;
	}
	snprintf(s->path, sizeof(s->path), "%.*s/store.mdb", (int)sizeof(s->path) - 16, dir);
	return 0;
}

bool
store_exists(const char *dir)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/store.mdb", dir);
	return access(path, F_OK) == 0;
}

/* A file of its own that no name leads to once it is open. */
static int
temporary_path(struct store *s)
{
	const char *dir = getenv("TMPDIR");
	int fd;

	if (dir == NULL || *dir == '\0')
		dir = "/var/tmp"; /* on a disk where /tmp may be memory */
	snprintf(s->path, sizeof(s->path), "%s/kdiff-XXXXXX", dir);
	fd = mkstemp(s->path);
	if (fd == -1) {
		log_error(
		    s->log, "%s: cannot make a temporary store: %s", dir, strerror(errno));
		return -1;
	}
	close(fd);
	return 0;
}

/* In the open transaction; makes those that are missing. */
static int
open_tables(struct store *s)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < TABLES; i++)
		rc = mdb_dbi_open(
		    s->txn, table_names[i], s->read_only ? 0 : MDB_CREATE, &s->tables[i]);
	return rc == 0 ? 0 : store_failed(s, "open a table", rc);
}

static int
open_environment(struct store *s)
{
	unsigned flags = MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS;
	MDB_envinfo info;
	int rc = mdb_env_create(&s->env);

	if (s->temporary)
		flags |= MDB_NOSYNC | MDB_WRITEMAP;
	if (s->read_only)
		flags |= MDB_RDONLY;
	if (rc == 0)
		rc = mdb_env_set_maxdbs(s->env, TABLES);
	if (rc == 0)
		rc = mdb_env_open(s->env, s->path, flags, 0600);
	if (s->temporary)
		unlink(s->path);
	if (rc != 0)
		return store_failed(s, "open the store", rc);
	rc = mdb_env_info(s->env, &info);
	if (rc != 0)
		return store_failed(s, "open the store", rc);
	s->map_size = info.me_mapsize;
	return store_note_use(s);
}

int
store_reopen(struct store *s)
{
	int rc;

	mdb_env_close(s->env);
	s->env = NULL;
	if (open_environment(s) == -1)
		return -1;
	rc = mdb_txn_begin(s->env, NULL, 0, &s->txn);
	if (rc != 0)
		return store_failed(s, "begin a transaction", rc);
	return open_tables(s);
}

int
store_counts_put(struct store *s)
{
	return store_table_put(s, META, counts_key, sizeof(counts_key) - 1,
	    store_value(&s->counts, sizeof(s->counts)));
}

static int
load_counts(struct store *s)
{
	MDB_val value;
	int have = store_table_get(s, META, counts_key, sizeof(counts_key) - 1, &value);

	if (have == 1 && value.mv_size != sizeof(s->counts))
		return store_damaged(s, "the row of its counts");
	if (have == 1)
		memcpy(&s->counts, value.mv_data, sizeof(s->counts));
	s->stored = s->counts;
	return have == -1 ? -1 : 0;
}

static int
load_meta(struct store *s, bool *refused)
{
	uint32_t version = STORE_VERSION;
	MDB_val value;
	int have = store_table_get(s, META, version_key, sizeof(version_key) - 1, &value);

	if (have == 0 && !s->read_only)
		return store_table_put(s, META, version_key, sizeof(version_key) - 1,
		    store_value(&version, sizeof(version)));
	if (have == -1)
		return -1;
	if (have == 0 || value.mv_size != sizeof(version) ||
	    memcmp(value.mv_data, &version, sizeof(version)) != 0) {
		log_error(s->log,
		    "%s: the store is of another version of kdiff: name another --state "
		    "directory, or remove this one to begin anew",
		    s->path);
		*refused = true;
		return -1;
	}
	return load_counts(s);
}

/* All that must be there is made and read in one transaction. */
static int
begin_use(struct store *s, bool *refused)
{
	enum store_result result = store_begin(s, 0);

	if (result == STORE_OK) {
		if (open_tables(s) == -1 || load_meta(s, refused) == -1)
			return -1;
		result = store_commit(s);
	}
	return result == STORE_FULL ? store_failed(s, "grow the store", s->full) : (int)result;
}

/* The transaction stays open. */
static int
begin_to_look(struct store *s, bool *refused)
{
	return store_begin_reading(s) == -1 || open_tables(s) == -1 ||
		       load_meta(s, refused) == -1
		   ? -1
		   : 0;
}

struct store *
store_open(const struct log *log, const struct store_options *options, bool *refused)
{
	const char *dir = options->dir;
	struct store *s = calloc(1, sizeof(*s));

	*refused = false;
	if (s == NULL) {
		log_error(log, "out of memory");
		return NULL;
	}
	s->log = log;
	s->lock_fd = -1;
	s->temporary = dir == NULL;
	s->read_only = options->read_only;
	buf_init(&s->object, SIZE_MAX);
	buf_init(&s->redo, SIZE_MAX);
	if ((dir == NULL ? temporary_path(s) : lock_directory(s, dir)) == -1 ||
	    open_environment(s) == -1 ||
	    (s->read_only ? begin_to_look(s, refused) : begin_use(s, refused)) == -1) {
		store_close(s);
		return NULL;
	}
	return s;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	if (s->txn != NULL)
		mdb_txn_abort(s->txn);
	if (s->env != NULL)
		mdb_env_close(s->env);
	if (s->lock_fd != -1)
		close(s->lock_fd);
	buf_free(&s->object);
	buf_free(&s->redo);
	free(s);
}
