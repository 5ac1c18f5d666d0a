/* SPDX-License-Identifier: Apache-2.0 */
/* Drops a stream and what is known of its objects, as when its type or namespace is not to be
 * watched any more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "commands.h"
#include "store_table.h"

/* Objects in one transaction. */
enum { FORGET_BATCH = 500 };

struct forget {
	struct kdiff *k;
	uint32_t stream;
	size_t objects;
	struct buf uids; /* of them: a length of two bytes before each */
};

/* Is there a stream with that path? 1, 0, -1. */
static int
find(struct kdiff *k, struct bytes path, uint32_t *id)
{
	char key[STORE_NAME_MAX];
	struct stream_row row;
	struct bytes value;
	int have = store_row_get(k->store, STORE_STREAMS, stream_row_key(path, key), &value);

	if (have == 1 && stream_row_read(value, &row) == -1)
		return store_damaged(k->store, "the row of a stream");
	if (have == 1)
		*id = row.id;
	return have;
}

/* Takes note of an object that is the stream's. */
static int
gather(void *arg, struct bytes uid, struct bytes row)
{
	struct forget *f = arg;
	uint16_t len = (uint16_t)uid.len;
	struct known known;

	if (!store_object_parse(uid, row, &known))
		return store_damaged(f->k->store, "the row of an object");
	if (known.stream != f->stream)
		return 0;
	f->objects++;
	if (buf_add(&f->uids, &len, sizeof(len)) == 0 && buf_add(&f->uids, uid.p, uid.len) == 0)
		return 0;
	log_error(&f->k->tool.log, "out of memory");
	return -1;
}

static int
drop(struct kdiff *k, const struct uid_key *uid)
{
	struct known known;
	const struct kind *kind;

	if (store_get(k->store, uid, &known) != 1)
		return -1;
	kind = kinds_by_id(k->kinds, known.state.kind);
	if (kind == NULL)
		return store_damaged(k->store, "the kind of an object");
	if (k->deletes)
		return change_vanished(k, kind, uid, &known);
	if (store_name_remove(k->store, known.state.kind, known.ns, known.name, uid) == -1)
		return -1;
	return store_remove(k->store, uid);
}

/* 0, or -1 with a message. */
static int
good(struct kdiff *k, enum store_result result)
{
	if (result == STORE_FULL)
		log_error(
		    &k->tool.log, "%s: %s", store_path(k->store), store_full_reason(k->store));
	return result == STORE_OK ? 0 : -1;
}

static int
drop_objects(struct kdiff *k, const struct forget *f)
{
	const char *p = f->uids.data;
	struct uid_key uid;
	uint16_t len;

	for (size_t i = 0; i < f->objects; i++) {
		memcpy(&len, p, sizeof(len));
		uid.len = len;
		memcpy(uid.bytes, p + sizeof(len), uid.len);
		p += sizeof(len) + uid.len;
		if (good(k, store_begin(k->store, 0)) == -1 || drop(k, &uid) == -1)
			return -1;
		if (i % FORGET_BATCH == FORGET_BATCH - 1 &&
		    good(k, store_commit(k->store)) == -1)
			return -1;
	}
	return 0;
}

/* The row goes last: until then the stream is one that can be forgotten again. */
static int
drop_stream(struct kdiff *k, struct bytes path)
{
	char key[STORE_NAME_MAX];

	if (good(k, store_begin(k->store, 0)) == -1 ||
	    store_row_remove(k->store, STORE_STREAMS, stream_row_key(path, key)) == -1)
		return -1;
	return good(k, store_commit(k->store));
}

static int
forget_stream(struct kdiff *k, struct forget *f)
{
	struct bytes path = {k->forget, strlen(k->forget)};
	int have;

	if (good(k, store_begin(k->store, 0)) == -1)
		return -1;
	k->kinds = kinds_open(&k->tool.log, k->store);
	have = k->kinds != NULL ? find(k, path, &f->stream) : -1;
	if (have == 0)
		log_error(&k->tool.log, "%s: there is no stream %s in the store",
		    store_path(k->store), k->forget);
	if (have != 1 || store_walk(k->store, OBJECTS, gather, f) == -1 ||
	    good(k, store_commit(k->store)) == -1 || drop_objects(k, f) == -1 ||
	    drop_stream(k, path) == -1)
		return -1;
	printf("%s: %zu objects forgotten%s\n", k->forget, f->objects,
	    k->deletes ? ", their deletions are in the outbox" : "");
	return fflush(stdout);
}

int
forget(struct kdiff *k)
{
	struct store_options options = {.dir = k->state,
	    .sync_always = k->sync == SYNC_ALWAYS,
	    .cluster_id = k->cluster_id};
	struct forget f = {.k = k};
	bool refused = false;
	int status = EXIT_FAILED;

	if (!store_exists(k->state)) {
		log_error(&k->tool.log, "%s: there is no store", k->state);
		return EXIT_FAILED;
	}
	timefmt_now(k->observed);
	buf_init(&f.uids, SIZE_MAX);
	k->store = store_open(&k->tool.log, &options, &refused);
	if (refused)
		status = EXIT_USAGE;
	else if (k->store != NULL && forget_stream(k, &f) == 0)
		status = EXIT_OK;
	buf_free(&f.uids);
	return status;
}
