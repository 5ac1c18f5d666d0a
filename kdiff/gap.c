/* SPDX-License-Identifier: Apache-2.0 */
#include "gap.h"

#include <string.h>

#include "batch.h"
#include "emit.h"

static const struct bytes restart = {"restart", 7};
static const struct bytes audit = {"audit", 5};
static const struct bytes none = {NULL, 0};
static const struct bytes malformed = {"malformed", 9};

static bool
same(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static struct bytes
reason_of(const struct stream *stream)
{
	return (struct bytes){stream->gap_reason, stream->gap_reason_len};
}

/* A resourceVersion as a JSON string may have it. It is opaque, but nobody's has had a quote yet:
 * such a one is left out. */
static struct bytes
plain(struct bytes version)
{
	for (size_t i = 0; i < version.len; i++) {
		unsigned char c = (unsigned char)version.p[i];

		if (c < ' ' || c == '"' || c == '\\')
			return (struct bytes){NULL, 0};
	}
	return version;
}

void
gap_marked(struct kdiff *k, struct stream *stream, struct bytes reason)
{
	static const struct bytes untold = {"gap", 3};

	if (reason.len == 0)
		reason = untold;
	log_warning(&k->tool.log, "%s: events may be missing: %.*s", stream->path,
	    (int)reason.len, reason.p);
	k->count[COUNT_GAPS].value++;
	if (stream->gap_reason_len == 0 || same(reason_of(stream), restart))
		stream_note_gap(stream, reason, stream_version(stream));
}

void
gap_missed(struct kdiff *k, struct stream *stream, struct bytes from)
{
	if (stream->gap_reason_len > 0)
		return;
	k->count[COUNT_GAPS].value++;
	stream_note_gap(stream, audit, from);
}

void
gap_begin(struct stream *stream)
{
	if (stream->complete && stream->version_len > 0 && stream->gap_reason_len == 0)
		stream_note_gap(stream, restart, stream_version(stream));
}

int
gap_end(struct kdiff *k, struct stream *stream, struct bytes version)
{
	struct bytes from = {stream->gap_from, stream->gap_from_len};
	bool restarted = same(reason_of(stream), restart);
	struct gap gap = {
	    .stream = {stream->path, stream->path_len},
	    .from = plain(from),
	    .to = version,
	    .reason = reason_of(stream),
	};

	if (stream->gap_reason_len == 0)
		return 0;
	/* Nothing has happened since. */
	if (restarted && same(from, version)) {
		stream_note_gap(stream, none, none);
		return 0;
	}
	if (batch_room(k, 0) == -1 || emit_gap(k, &gap) == -1)
		return -1;
	k->count[COUNT_GAPS].value += restarted;
	stream_note_gap(stream, none, none);
	return 0;
}

int
gap_store_lost(struct kdiff *k, const char *reason)
{
	struct gap gap = {.reason = {reason, strlen(reason)}};

	if (batch_room(k, 0) == -1 || emit_gap(k, &gap) == -1)
		return -1;
	k->count[COUNT_GAPS].value++;
	return store_lost_told(k->store);
}

static struct bytes
text_of(const struct json_str *text)
{
	return (struct bytes){text->p, text->len};
}

/* The stream that would have brought the object, when that can be told. */
static const struct stream *
stream_of(const struct kdiff *k, const struct object *o)
{
	if (o == NULL || o->kind.p == NULL || o->api_version.p == NULL)
		return NULL;
	return streams_find(
	    k->streams, text_of(&o->api_version), text_of(&o->kind), text_of(&o->ns));
}

int
gap_lost(struct kdiff *k, const struct object *object)
{
	const struct stream *stream = stream_of(k, object);
	struct gap gap = {.reason = malformed};

	if (stream == NULL && k->batch_gap)
		return 0;
	if (batch_room(k, 0) == -1)
		return -1;
	if (stream != NULL) {
		gap.stream = (struct bytes){stream->path, stream->path_len};
		gap.from = plain(stream_version(stream));
		gap.to = text_of(&object->resource_version);
	}
	k->batch_gap |= stream == NULL;
	k->count[COUNT_GAPS].value++;
	return emit_gap(k, &gap);
}
