/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store_table.h"

#define STORE_VERSION 1

/* Room that is made before a transaction, and the steps in which the map grows. A transaction
 * that ran out of it would be lost with the input it stands for. */
static const size_t room = (size_t)32 << 20;
static const size_t temporary_step = (size_t)64 << 20;
static const size_t durable_step = (size_t)4 << 30; /* address space only */

static const char *const table_names[TABLES] = {"meta", "objects", "names", "kinds", "streams"};

/* The fixed part of an object's row. */
struct head {
	uint64_t hash[2];
	uint64_t size;
	uint32_t kind;
	uint32_t stream;
	uint32_t snapshot;
	uint16_t dictionary;
	uint16_t version_len;
	uint16_t ns_len;
	uint16_t name_len;
};

/* Makes the map larger until need bytes fit; no transaction may be open. A temporary store's
 * file is written through the map: its blocks are claimed first, so that a full disk is an
 * error here and not a SIGBUS later. */
static int
make_room(struct store *s, size_t need)
{
	size_t step = s->temporary ? temporary_step : durable_step;
	size_t size = s->map_size;
	mdb_filehandle_t fd;
	int rc;

	while (size - s->used < need)
		size += step;
	if (size == s->map_size)
		return 0;
	if (s->temporary) {
		rc = mdb_env_get_fd(s->env, &fd);
		if (rc == 0)
			rc = posix_fallocate(fd, 0, (off_t)size);
		if (rc != 0)
			return store_failed(s, "grow the store", rc);
	}
	rc = mdb_env_set_mapsize(s->env, size);
	if (rc != 0)
		return store_failed(s, "grow the store", rc);
	s->map_size = size;
	return 0;
}

static int
note_use(struct store *s)
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

int
store_begin(struct store *s, size_t need)
{
	int rc;

	if (s->txn != NULL)
		return 0;
	if (make_room(s, room + 2 * need) == -1)
		return -1;
	rc = mdb_txn_begin(s->env, NULL, 0, &s->txn);
	s->pending = 0;
	return rc == 0 ? 0 : store_failed(s, "begin a transaction", rc);
}

bool
store_has_room(const struct store *s, size_t need)
{
	return s->used + 2 * (s->pending + need) + room / 2 <= s->map_size;
}

/* LMDB calls it an input/output error when a write ends short. */
static bool
disk_is_full(const struct store *s)
{
	struct statvfs fs;

	return statvfs(s->path, &fs) == 0 && fs.f_bavail * fs.f_frsize < room;
}

int
store_commit(struct store *s)
{
	int rc;

	if (s->txn == NULL)
		return 0;
	if (store_table_put(s, META, "seq", 3, store_value(&s->seq, sizeof(s->seq))) == -1)
		return -1;
	rc = mdb_txn_commit(s->txn);
	s->txn = NULL;
	if (rc == EIO && disk_is_full(s))
		rc = ENOSPC;
	if (rc != 0)
		return store_failed(s, "commit", rc);
	return note_use(s);
}

/* DIR/lock is held while the store is open: LMDB's own locking is off. */
static int
lock_directory(struct store *s, const char *dir)
{
	if (mkdir(dir, 0700) == -1 && errno != EEXIST) {
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

static int
open_tables(struct store *s)
{
	uint32_t version = STORE_VERSION;
	MDB_val value;
	int have;

	for (int i = 0; i < TABLES; i++) {
		int rc = mdb_dbi_open(s->txn, table_names[i], MDB_CREATE, &s->tables[i]);

		if (rc != 0)
			return store_failed(s, "open a table", rc);
	}
	have = store_table_get(s, META, "version", 7, &value);
	if (have == 0)
		return store_table_put(
		    s, META, "version", 7, store_value(&version, sizeof(version)));
	if (have == -1)
		return -1;
	if (value.mv_size != sizeof(version) ||
	    memcmp(value.mv_data, &version, sizeof(version)) != 0) {
		log_error(s->log,
		    "%s: the store is of another version; move it away to begin anew", s->path);
		return -1;
	}
	have = store_table_get(s, META, "seq", 3, &value);
	if (have == 1 && value.mv_size == sizeof(s->seq))
		memcpy(&s->seq, value.mv_data, sizeof(s->seq));
	return have == -1 ? -1 : 0;
}

static int
open_environment(struct store *s)
{
	unsigned flags = MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS;
	MDB_envinfo info;
	int rc = mdb_env_create(&s->env);

	if (s->temporary)
		flags |= MDB_NOSYNC | MDB_WRITEMAP;
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
	return note_use(s);
}

struct store *
store_open(const struct log *log, const char *dir)
{
	struct store *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		log_error(log, "out of memory");
		return NULL;
	}
	s->log = log;
	s->lock_fd = -1;
	s->temporary = dir == NULL;
	if ((dir == NULL ? temporary_path(s) : lock_directory(s, dir)) == -1 ||
	    open_environment(s) == -1 || store_begin(s, 0) == -1 || open_tables(s) == -1 ||
	    store_commit(s) == -1) {
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
	free(s);
}

static bool
unpack_row(const MDB_val *value, struct known *known)
{
	const char *p = value->mv_data;
	struct head head;
	size_t strings;

	if (value->mv_size < sizeof(head))
		return false;
	memcpy(&head, p, sizeof(head));
	strings = (size_t)head.version_len + head.ns_len + head.name_len;
	if (value->mv_size - sizeof(head) < strings)
		return false;
	p += sizeof(head);
	*known = (struct known){
	    .hash = {head.hash[0], head.hash[1]},
	    .kind = head.kind,
	    .stream = head.stream,
	    .snapshot = head.snapshot,
	    .dictionary = head.dictionary,
	    .size = head.size,
	    .resource_version = {p, head.version_len},
	    .ns = {p + head.version_len, head.ns_len},
	    .name = {p + head.version_len + head.ns_len, head.name_len},
	    .packed = {p + strings, value->mv_size - sizeof(head) - strings},
	};
	return true;
}

int
store_get(struct store *s, const struct uid_key *uid, struct known *known)
{
	MDB_val value;
	int have = store_table_get(s, OBJECTS, uid->bytes, uid->len, &value);

	if (have == 1 && !unpack_row(&value, known))
		return store_failed(s, "read an object", MDB_CORRUPTED);
	return have;
}

int
store_put(struct store *s, const struct uid_key *uid, const struct known *known)
{
	struct head head = {
	    .hash = {known->hash[0], known->hash[1]},
	    .size = known->size,
	    .kind = known->kind,
	    .stream = known->stream,
	    .snapshot = known->snapshot,
	    .dictionary = (uint16_t)known->dictionary,
	    .version_len = (uint16_t)known->resource_version.len,
	    .ns_len = (uint16_t)known->ns.len,
	    .name_len = (uint16_t)known->name.len,
	};
	const struct bytes parts[] = {
	    {(const char *)&head, sizeof(head)},
	    known->resource_version,
	    known->ns,
	    known->name,
	    known->packed,
	};
	MDB_val key = store_value(uid->bytes, uid->len);
	MDB_val value = {0};
	char *to;
	int rc;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		value.mv_size += parts[i].len;
	rc = mdb_put(s->txn, s->tables[OBJECTS], &key, &value, MDB_RESERVE);
	if (rc != 0)
		return store_failed(s, "write an object", rc);
	to = value.mv_data;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].len > 0)
			memcpy(to, parts[i].p, parts[i].len);
		to += parts[i].len;
	}
	s->pending += value.mv_size;
	return 0;
}

int
store_mark_seen(struct store *s, const struct uid_key *uid, uint32_t stream, uint32_t snapshot)
{
	MDB_val key = store_value(uid->bytes, uid->len);
	MDB_val old;
	MDB_val value;
	struct head head;
	char *row;
	int rc = store_table_get(s, OBJECTS, uid->bytes, uid->len, &old);

	if (rc != 1)
		return rc;
	if (old.mv_size < sizeof(head))
		return store_failed(s, "read an object", MDB_CORRUPTED);
	memcpy(&head, old.mv_data, sizeof(head));
	head.stream = stream;
	head.snapshot = snapshot;
	/* A put of the same size may or may not land where the old row stands: copy it out. */
	row = malloc(old.mv_size);
	if (row == NULL)
		return store_failed(s, "read an object", ENOMEM);
	memcpy(row, old.mv_data, old.mv_size);
	memcpy(row, &head, sizeof(head));
	value = store_value(row, old.mv_size);
	rc = mdb_put(s->txn, s->tables[OBJECTS], &key, &value, 0);
	free(row);
	return rc == 0 ? 0 : store_failed(s, "write an object", rc);
}

int
store_remove(struct store *s, const struct uid_key *uid)
{
	return store_table_remove(s, OBJECTS, uid->bytes, uid->len);
}

int
store_row_get(struct store *s, enum store_table table, struct bytes key, struct bytes *value)
{
	MDB_val v;
	int have =
	    store_table_get(s, table == STORE_KINDS ? KINDS : STREAMS, key.p, key.len, &v);

	if (have == 1)
		*value = (struct bytes){v.mv_data, v.mv_size};
	return have;
}

int
store_row_put(struct store *s, enum store_table table, struct bytes key, struct bytes value)
{
	return store_table_put(s, table == STORE_KINDS ? KINDS : STREAMS, key.p, key.len,
	    store_value(value.p, value.len));
}

int
store_row_each(struct store *s, enum store_table table, store_row_fn *fn, void *arg)
{
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val value;
	int result = 0;
	int rc =
	    mdb_cursor_open(s->txn, s->tables[table == STORE_KINDS ? KINDS : STREAMS], &cursor);

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

static int
table_count(struct store *s, enum table table, size_t *n)
{
	MDB_stat stat;
	int rc = mdb_stat(s->txn, s->tables[table], &stat);

	if (rc != 0)
		return store_failed(s, "read", rc);
	*n = stat.ms_entries;
	return 0;
}

int
store_row_count(struct store *s, enum store_table table, size_t *n)
{
	return table_count(s, table == STORE_KINDS ? KINDS : STREAMS, n);
}

int
store_objects(struct store *s, size_t *n)
{
	return table_count(s, OBJECTS, n);
}

uint64_t
store_seq(const struct store *s)
{
	return s->seq;
}

int
store_set_seq(struct store *s, uint64_t seq)
{
	s->seq = seq;
	return 0;
}
