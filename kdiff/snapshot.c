/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot.h"

#include <string.h>

#include "audit.h"
#include "batch.h"
#include "gap.h"
#include "rv.h"

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

/* An end whose begin nobody here has seen says nothing: of what stood between them, some may have
 * been lost with the process that read it. */
static int
snapshot_end(struct kdiff *k, struct stream *stream, struct bytes version)
{
	if (!stream->in_snapshot)
		return 0;
	if (stream->tainted) {
		log_warning(&k->tool.log,
		    "%s: lines of the snapshot were lost: deletes are left to the next one",
		    stream->path);
	} else {
		if (delete_unseen(k, stream) == -1 || gap_end(k, stream, version) == -1)
			return -1;
		k->count[COUNT_SNAPSHOTS].value++;
		stream->complete = true;
		stream->unfinished = false;
		stream_advance(stream, version);
	}
	stream->in_snapshot = false;
	stream->dirty = true;
	return 0;
}

static void
snapshot_begin(struct stream *stream)
{
	audit_free(stream->audit); /* the snapshot says all that it could */
	stream->audit = NULL;
	stream->in_snapshot = true;
	stream->unfinished = true;
	stream->tainted = false;
	stream->snapshot++;
	stream->dirty = true;
}

/* The type is no more: an empty snapshot, and a new stream should it ever come back. */
static int
stream_gone(struct kdiff *k, struct stream *stream, struct bytes version)
{
	snapshot_begin(stream);
	if (delete_unseen(k, stream) == -1 || gap_end(k, stream, version) == -1)
		return -1;
	stream->in_snapshot = false;
	stream->unfinished = false;
	stream->complete = false;
	stream->version_len = 0;
	stream->dirty = true; /* a batch may have ended since snapshot_begin */
	return 0;
}

/* A bookmark that is no mark: the server's own, or where kwatch resumes the stream. That may be
 * before what is known, and then what follows is known: the stream does not go back. */
static void
bookmark(struct stream *stream, struct bytes version)
{
	if (!stream->in_snapshot && rv_compare(version, stream_version(stream)) != RV_OLDER)
		stream_advance(stream, version);
}

/* Of an audit. false: it is none of those. */
static bool
take_audit_mark(struct kdiff *k, struct stream *stream, const struct object *o,
    const struct json_str *mark, int *result, const char **why)
{
	struct bytes version = {o->resource_version.p, o->resource_version.len};

	if (json_str_is(mark, "exists"))
		*result = audit_exists(k, stream, o, why);
	else if (json_str_is(mark, "audit"))
		*result = audit_begin(k, stream);
	else if (json_str_is(mark, "audited"))
		*result = audit_end(k, stream, version);
	else
		return false;
	return true;
}

static enum change_result
take_mark(struct kdiff *k, struct stream *stream, const struct object *o,
    const struct json_str *mark, const char **why)
{
	struct bytes version = {o->resource_version.p, o->resource_version.len};
	struct json_str reason = {.p = "", .len = 0};
	int result = 0;

	if (mark->p == NULL) {
		bookmark(stream, version);
	} else if (json_str_is(mark, "begin")) {
		gap_begin(stream);
		snapshot_begin(stream);
	} else if (json_str_is(mark, "end")) {
		result = snapshot_end(k, stream, version);
	} else if (json_str_is(mark, "gone")) {
		result = stream_gone(k, stream, version);
	} else if (json_str_is(mark, "gap")) {
		object_annotation(o, "kollect/reason", &reason);
		gap_marked(k, stream, (struct bytes){reason.p, reason.len});
	} else if (!take_audit_mark(k, stream, o, mark, &result, why)) {
		*why = "unknown kollect/mark";
	}
	if (*why != NULL)
		return CHANGE_BAD;
	return result == -1 ? CHANGE_FAILED : CHANGE_OK;
}

enum change_result
snapshot_mark(struct kdiff *k, const struct object *o, const char **why)
{
	struct json_str mark = {.p = NULL};
	struct json_str path;
	struct stream *stream;

	*why = NULL;
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
