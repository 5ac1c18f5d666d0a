/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot.h"

#include <string.h>

#include "batch.h"

/* Does it follow that the object (of the stream's kind and namespace) is gone when it was not
 * seen since the snapshot began? One that came before any mark had named a stream belongs to
 * the stream that spans it, unless a selector makes that hard to tell. */
static bool
may_miss(const struct stream *stream, const struct known *known)
{
	if (known->stream == 0)
		return memchr(stream->path, '?', stream->path_len) == NULL;
	return known->stream == stream->id && known->snapshot != stream->snapshot;
}

/* Deletes what stands in the store as the stream's and was not seen since the snapshot began.
 * Each object is looked at, in batches like those of events. */
static int
delete_unseen(struct kdiff *k, const struct stream *stream)
{
	struct name_walk walk = {.len = 0};
	struct uid_key uid;
	struct known known;
	int have;

	for (;;) {
		have =
		    store_name_next(k->store, kind_id(stream->kind), stream->ns, &walk, &uid);
		if (have == 1)
			have = store_get(k->store, &uid, &known);
		else
			return have;
		if (have == -1)
			return -1;
		if (have == 0 || !may_miss(stream, &known))
			continue;
		if (batch_room(k, known.state.size) == -1 ||
		    store_get(k->store, &uid, &known) != 1 ||
		    change_vanished(k, stream->kind, &uid, &known) == -1)
			return -1;
	}
}

static int
snapshot_end(struct kdiff *k, struct stream *stream, struct bytes version)
{
	bool tainted = stream->in_snapshot && stream->tainted;

	if (tainted)
		log_warning(&k->tool.log,
		    "%s: lines of the snapshot were lost: deletes are left to the next one",
		    stream->path);
	else if (stream->in_snapshot && delete_unseen(k, stream) == -1)
		return -1;
	if (!tainted) {
		k->count[COUNT_SNAPSHOTS].value += stream->in_snapshot;
		stream->complete = true;
		stream_advance(stream, version);
	}
	stream->in_snapshot = false;
	stream->dirty = true;
	return 0;
}

static void
snapshot_begin(struct stream *stream)
{
	stream->in_snapshot = true;
	stream->tainted = false;
	stream->snapshot++;
	stream->dirty = true;
}

/* The type is no more: an empty snapshot, and a new stream should it ever come back. */
static int
stream_gone(struct kdiff *k, struct stream *stream)
{
	snapshot_begin(stream);
	if (delete_unseen(k, stream) == -1)
		return -1;
	stream->in_snapshot = false;
	stream->complete = false;
	stream->version_len = 0;
	stream->dirty = true; /* a batch may have ended since snapshot_begin */
	return 0;
}

static enum change_result
take_mark(struct kdiff *k, struct stream *stream, const struct object *o,
    const struct json_str *mark, const char **why)
{
	struct bytes version = {o->resource_version.p, o->resource_version.len};
	struct json_str reason = {.p = "", .len = 0};
	int result = 0;

	if (mark->p == NULL) { /* the server's own bookmark */
		if (!stream->in_snapshot)
			stream_advance(stream, version);
	} else if (json_str_is(mark, "begin")) {
		snapshot_begin(stream);
	} else if (json_str_is(mark, "end")) {
		result = snapshot_end(k, stream, version);
	} else if (json_str_is(mark, "gone")) {
		result = stream_gone(k, stream);
	} else if (json_str_is(mark, "gap")) {
		object_annotation(o, "kollect/reason", &reason);
		log_warning(&k->tool.log, "%s: events may be missing: %.*s", stream->path,
		    (int)reason.len, reason.p);
		k->count[COUNT_GAPS].value++;
	} else {
		*why = "unknown kollect/mark";
		return CHANGE_BAD;
	}
	return result == -1 ? CHANGE_FAILED : CHANGE_OK;
}

enum change_result
snapshot_mark(struct kdiff *k, const struct object *o, const char **why)
{
	struct json_str mark = {.p = NULL};
	struct json_str path;
	struct stream *stream;

	if (!object_annotation(o, "kollect/stream", &path))
		return CHANGE_OK;
	object_annotation(o, "kollect/mark", &mark);
	/* Paths, kinds and versions are URL and DNS characters: none is ever escaped. */
	if (path.len == 0 || path.escaped || o->kind.len == 0 || o->kind.escaped ||
	    o->api_version.len == 0 || o->api_version.escaped || o->resource_version.escaped) {
		*why = "the mark lacks a plain stream, kind or apiVersion";
		return CHANGE_BAD;
	}
	if (batch_room(k, 0) == -1)
		return CHANGE_FAILED;
	stream = streams_named(k->streams, (struct bytes){path.p, path.len},
	    (struct bytes){o->api_version.p, o->api_version.len},
	    (struct bytes){o->kind.p, o->kind.len});
	return stream == NULL ? CHANGE_FAILED : take_mark(k, stream, o, &mark, why);
}
