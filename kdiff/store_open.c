/* SPDX-License-Identifier: Apache-2.0 */
/* Where a store is, and whether it is one that can be used. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_boot.h"
#include "store_bound.h"
#include "store_damage.h"
#include "store_meta.h"
#include "store_table.h"

static const char *const table_names[TABLES] = {
    "meta", "objects", "names", "kinds", "streams", "outbox"};

static int
path_in(struct store *s, const char *dir)
{
	if ((size_t)snprintf(s->path, sizeof(s->path), "%s/store.mdb", dir) < sizeof(s->path))
		return 0;
	log_error(s->log, "%s: the path is too long", dir);
	return -1;
}

bool
store_exists(const char *dir)
{
	char path[PATH_MAX];

	return (size_t)snprintf(path, sizeof(path), "%s/store.mdb", dir) < sizeof(path) &&
	       access(path, F_OK) == 0;
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

/* Sets is_new: nothing has been committed to it yet. An LMDB code. */
static int
find_new(struct store *s)
{
	MDB_envinfo info;
	MDB_stat stat;
	MDB_dbi all;
	int rc = mdb_dbi_open(s->txn, NULL, 0, &all);

	if (rc == 0)
		rc = mdb_stat(s->txn, all, &stat);
	if (rc == 0)
		rc = mdb_env_info(s->env, &info);
	/* The two pages that it begins with have no tables. */
	if (rc == 0)
		s->is_new = stat.ms_entries == 0 && info.me_last_pgno <= 1;
	return rc;
}

/* In the open transaction. A store that is new gets them all; another must have them. */
static int
open_tables(struct store *s)
{
	int rc = find_new(s);
	unsigned flags = s->is_new ? MDB_CREATE : 0;

	for (int i = 0; rc == 0 && i < TABLES; i++)
		rc = mdb_dbi_open(s->txn, table_names[i], flags, &s->tables[i]);
	if (rc == MDB_NOTFOUND)
		return store_damaged(s, "the list of its tables");
	return rc == 0 ? 0 : store_failed(s, "open a table", rc);
}

/* The map that a store which stays is opened with. */
static size_t
map_size(const struct store *s)
{
	struct stat st;
	size_t size = stat(s->path, &st) == 0 ? (size_t)st.st_size : 0;

	return (size + STORE_MAP_BEHIND + STORE_MAP_STEP) / STORE_MAP_STEP * STORE_MAP_STEP;
}

static int
open_environment(struct store *s)
{
	unsigned flags = MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS;
	bool made = access(s->path, F_OK) == -1;
	MDB_envinfo info;
	int rc = mdb_env_create(&s->env);

	if (s->temporary)
		flags |= MDB_NOSYNC | MDB_WRITEMAP;
	if (s->relaxed)
		flags |= MDB_NOSYNC;
	if (s->read_only)
		flags |= MDB_RDONLY;
	if (rc == 0)
		store_damage_watch(s);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(s->env, TABLES);
	if (rc == 0 && !s->temporary)
		rc = mdb_env_set_mapsize(s->env, map_size(s));
	if (rc == 0)
		rc = mdb_env_open(s->env, s->path, flags, 0600);
	/* What could not be made whole would look like a store that is damaged. */
	if (s->temporary || (rc != 0 && made))
		unlink(s->path);
	if (rc != 0)
		return store_failed(s, made ? "make the store" : "open the store", rc);
	rc = mdb_env_info(s->env, &info);
	if (rc != 0)
		return store_failed(s, "open the store", rc);
	s->map_size = info.me_mapsize;
	return store_note_use(s);
}

static void
close_environment(struct store *s)
{
	if (s->txn != NULL)
		mdb_txn_abort(s->txn);
	if (s->env != NULL)
		mdb_env_close(s->env);
	s->txn = NULL;
	s->env = NULL;
	store_redo_forget(s);
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

/* All that must be there is made and read in one transaction. */
static int
begin_use(struct store *s, const struct store_options *o, const char *lost, bool *refused)
{
	enum store_result result = store_begin(s, 0);

	if (result == STORE_OK) {
		if (open_tables(s) == -1 ||
		    store_meta_load(s, o->cluster_id, lost, refused) == -1)
			return -1;
		result = store_commit(s);
	}
	return result == STORE_FULL ? store_failed(s, "grow the store", s->full) : (int)result;
}

bool
store_is_new(const struct store *s)
{
	return s->is_new;
}

/* The transaction stays open. Who was to make the store may have been killed before the first commit:
 * then there is nothing to look at, and nothing wrong. */
static int
begin_to_look(struct store *s, const struct store_options *o, bool *refused)
{
	int rc;

	if (store_begin_reading(s) == -1)
		return -1;
	rc = find_new(s);
	if (rc != 0)
		return store_failed(s, "read the store", rc);
	if (s->is_new && !o->may_be_new)
		log_error(s->log, "%s: nothing has been written to the store yet", s->path);
	if (s->is_new)
		return o->may_be_new ? 0 : -1;
	return open_tables(s) == -1 ? -1 : store_meta_load(s, o->cluster_id, NULL, refused);
}

/* From now on commits reach the disk as they are asked to. What a run before may have left to the
 * kernel is brought there first. */
static int
begin_to_sync(struct store *s, const struct store_options *o)
{
	int rc = store_dir_sync(&s->dir) == -1 ? errno : mdb_env_sync(s->env, 1);

	if (rc == 0 && store_boot_unmark(&s->dir) == -1)
		rc = errno;
	if (rc != 0)
		return store_failed(s, "sync the store", rc);
	s->relaxed = !o->sync_always;
	rc = mdb_env_set_flags(s->env, MDB_NOSYNC, s->relaxed);
	return rc == 0 ? 0 : store_failed(s, "open the store", rc);
}

static int
open_whole(struct store *s, const struct store_options *o, const char *lost, bool *refused)
{
	const char *why;

	if (open_environment(s) == -1)
		return -1;
	why = store_damage_open(s);
	if (why != NULL) {
		log_error(s->log, "%s: %s", s->path, why);
		s->damaged = true;
		return -1;
	}
	if (s->read_only)
		return begin_to_look(s, o, refused);
	if (begin_use(s, o, lost, refused) == -1)
		return -1;
	return s->temporary ? 0 : begin_to_sync(s, o);
}

/* The store goes out of the way of a new one. why: NULL when that has been said. 0 or -1. */
static int
set_aside(struct store *s, const char *why)
{
	char name[STORE_DIR_TEXT];

	if (store_dir_set_aside(&s->dir, name) == -1 ||
	    store_dir_remove(&s->dir, "damaged") == -1 || store_boot_unmark(&s->dir) == -1) {
		log_error(s->log, "%s: the damaged store cannot be set aside: %s", s->path,
		    strerror(errno));
		return -1;
	}
	log_warning(s->log,
	    "%s: the store is damaged%s%s: it is set aside as %s, and a new one begun: all "
	    "objects are published anew",
	    s->path, why != NULL ? ", " : "", why != NULL ? why : "", name);
	s->seq_bound = store_bound_load(&s->dir, true);
	s->failed = s->damaged = false;
	return 0;
}

static int
open_durable(struct store *s, const struct store_options *o, bool *refused)
{
	const char *lost = NULL;
	const char *why;
	bool missing;

	if (store_dir_open(&s->dir, s->log, o->dir, !o->read_only) == -1 ||
	    path_in(s, o->dir) == -1)
		return -1;
	s->seq_bound = store_bound_load(&s->dir, false);
	why = store_damage_before(s, &missing);
	if (why != NULL && s->read_only) {
		log_error(s->log, "%s: the store is damaged: %s", s->path, why);
		return -1;
	}
	if (missing) {
		lost = "missing";
		log_warning(s->log,
		    "%s: the store is missing: a new one is begun, and all objects are "
		    "published anew",
		    s->path);
	} else if (why != NULL) {
		lost = "damaged";
		if (set_aside(s, why) == -1)
			return -1;
	}
	if (open_whole(s, o, lost, refused) == -1) {
		if (!s->damaged || s->read_only)
			return -1;
		close_environment(s);
		if (set_aside(s, NULL) == -1 || open_whole(s, o, "damaged", refused) == -1)
			return -1;
	}
	s->in_use = !s->read_only;
	return 0;
}

static int
open_temporary(struct store *s, const struct store_options *o, bool *refused)
{
	return temporary_path(s) == -1 ? -1 : open_whole(s, o, NULL, refused);
}

struct store *
store_open(const struct log *log, const struct store_options *options, bool *refused)
{
	struct store *s = calloc(1, sizeof(*s));

	*refused = false;
	if (s == NULL) {
		log_error(log, "out of memory");
		return NULL;
	}
	s->log = log;
	s->dir = (struct store_dir){.fd = -1, .lock_fd = -1};
	s->temporary = options->dir == NULL;
	s->read_only = options->read_only;
	buf_init(&s->object, SIZE_MAX);
	buf_init(&s->redo, SIZE_MAX);
	if ((s->temporary ? open_temporary(s, options, refused)
			  : open_durable(s, options, refused)) == -1) {
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
	if (s->env != NULL && !s->damaged)
		(void)store_sync(s);
	close_environment(s);
	store_damage_unwatch(s);
	store_dir_close(&s->dir);
	buf_free(&s->object);
	buf_free(&s->redo);
	free(s);
}
