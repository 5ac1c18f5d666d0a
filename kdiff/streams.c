/* SPDX-License-Identifier: Apache-2.0 */
#include "streams.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "audit.h"

/* An apiVersion and kind as objects name it, so that one look-up tells all about an object. */
struct type {
	struct kind *kind;
	struct stream *streams; /* those of this type, the one named last first */
	size_t version_len;     /* of the apiVersion, which name begins with */
	size_t name_len;
	char name[]; /* apiVersion and kind, unseparated */
};

struct streams {
	const struct log *log;
	struct store *store;
	struct kinds *kinds;
	struct type **table; /* open addressing by the name's hash; size is a power of two */
	size_t size;
	size_t n;
	uint32_t last_id;  /* the highest that a stream has */
	struct type *last; /* most objects are of the type of the one before */
};

static int
note_id(void *arg, struct bytes key, struct bytes value)
{
	struct streams *s = arg;
	struct stream_row row;

	(void)key;
	if (stream_row_read(value, &row) == -1)
		return store_damaged(s->store, "the row of a stream");
	if (row.id > s->last_id)
		s->last_id = row.id;
	return 0;
}

struct streams *
streams_open(const struct log *log, struct store *store, struct kinds *kinds)
{
	struct streams *s = calloc(1, sizeof(*s));

	if (s != NULL) {
		s->log = log;
		s->store = store;
		s->kinds = kinds;
		s->size = 256;
		s->table = calloc(s->size, sizeof(struct type *));
	}
	if (s == NULL || s->table == NULL) {
		log_error(log, "out of memory");
		free(s);
		return NULL;
	}
	if (store_row_each(store, STORE_STREAMS, note_id, s) == -1) {
		streams_close(s);
		return NULL;
	}
	return s;
}

void
streams_close(struct streams *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->size; i++) {
		struct type *type = s->table[i];

		while (type != NULL && type->streams != NULL) {
			struct stream *stream = type->streams;

			type->streams = stream->next;
			audit_free(stream->audit);
			free(stream);
		}
		free(type);
	}
	free(s->table);
	free(s);
}

static bool
type_is(const struct type *t, struct bytes version, struct bytes kind)
{
	return t->version_len == version.len && t->name_len == version.len + kind.len &&
	       memcmp(t->name, version.p, version.len) == 0 &&
	       memcmp(t->name + version.len, kind.p, kind.len) == 0;
}

static uint64_t
type_hash(struct bytes version, struct bytes kind)
{
	return XXH3_64bits_withSeed(kind.p, kind.len, XXH3_64bits(version.p, version.len));
}

static struct type **
slot(struct type **table, size_t size, struct bytes version, struct bytes kind)
{
	size_t i = type_hash(version, kind) & (size - 1);

	while (table[i] != NULL && !type_is(table[i], version, kind))
		i = (i + 1) & (size - 1);
	return &table[i];
}

static int
grow(struct streams *s)
{
	size_t size = s->size * 2;
	struct type **table = calloc(size, sizeof(struct type *));

	if (table == NULL) {
		log_error(s->log, "out of memory");
		return -1;
	}
	for (size_t i = 0; i < s->size; i++) {
		struct type *t = s->table[i];

		if (t != NULL)
			*slot(table, size, (struct bytes){t->name, t->version_len},
			    (struct bytes){
				t->name + t->version_len, t->name_len - t->version_len}) = t;
	}
	free(s->table);
	s->table = table;
	s->size = size;
	return 0;
}

static struct type *
type_of(struct streams *s, struct bytes version, struct bytes kind)
{
	struct type **at;
	struct type *t;

	if (s->last != NULL && type_is(s->last, version, kind))
		return s->last;
	at = slot(s->table, s->size, version, kind);
	if (*at == NULL) {
		if (s->n * 2 > s->size) {
			if (grow(s) == -1)
				return NULL;
			at = slot(s->table, s->size, version, kind);
		}
		t = calloc(1, sizeof(*t) + version.len + kind.len);
		if (t == NULL) {
			log_error(s->log, "out of memory");
			return NULL;
		}
		t->kind = kinds_of(s->kinds, version, kind);
		if (t->kind == NULL) {
			free(t);
			return NULL;
		}
		memcpy(t->name, version.p, version.len);
		memcpy(t->name + version.len, kind.p, kind.len);
		t->version_len = version.len;
		t->name_len = version.len + kind.len;
		*at = t;
		s->n++;
	}
	s->last = *at;
	return *at;
}

/* The NS of "/…/namespaces/NS/RESOURCE"; p NULL when the path spans all namespaces. */
static struct bytes
namespace_of(const char *path, size_t len)
{
	static const char word[] = "/namespaces/";
	const char *query = memchr(path, '?', len);
	const char *end = query != NULL ? query : path + len;
	const char *ns = memmem(path, (size_t)(end - path), word, sizeof(word) - 1);
	const char *slash;

	if (ns == NULL)
		return (struct bytes){NULL, 0};
	ns += sizeof(word) - 1;
	slash = memchr(ns, '/', (size_t)(end - ns));
	if (slash == NULL) /* /api/v1/namespaces/NS: the Namespace itself */
		return (struct bytes){NULL, 0};
	return (struct bytes){ns, (size_t)(slash - ns)};
}

static int
save(struct streams *s, struct stream *stream)
{
	struct stream_row row = {
	    .id = stream->id,
	    .snapshot = stream->snapshot,
	    .complete = stream->complete,
	    .unfinished = stream->unfinished,
	    .version = {stream->version, stream->version_len},
	    .path = {stream->path, stream->path_len},
	    .gap_reason = {stream->gap_reason, stream->gap_reason_len},
	    .gap_from = {stream->gap_from, stream->gap_from_len},
	};
	char key[STORE_NAME_MAX];
	struct buf value;
	int result = -1;

	buf_init(&value, 2 * (size_t)STREAM_PATH_MAX);
	if (stream_row_write(&row, &value) == -1)
		log_error(s->log, "out of memory");
	else
		result = store_row_put(s->store, STORE_STREAMS, stream_row_key(row.path, key),
		    (struct bytes){value.data, value.len});
	buf_free(&value);
	/* Otherwise a batch that is finished nonetheless would be without it. */
	stream->dirty = result == -1;
	return result;
}

static size_t
copy(char *to, struct bytes from)
{
	if (from.len > 0)
		memcpy(to, from.p, from.len);
	return from.len;
}

static int
load(struct streams *s, struct stream *stream)
{
	char key[STORE_NAME_MAX];
	struct stream_row row;
	struct bytes value;
	struct bytes path = {stream->path, stream->path_len};
	int have = store_row_get(s->store, STORE_STREAMS, stream_row_key(path, key), &value);

	if (have == -1)
		return -1;
	if (have == 0) {
		stream->id = ++s->last_id;
		return save(s, stream);
	}
	if (stream_row_read(value, &row) == -1)
		return store_damaged(s->store, "the row of a stream");
	stream->id = row.id;
	stream->snapshot = row.snapshot;
	stream->complete = row.complete;
	stream->unfinished = row.unfinished;
	stream->version_len = copy(stream->version, row.version);
	stream->gap_reason_len = copy(stream->gap_reason, row.gap_reason);
	stream->gap_from_len = copy(stream->gap_from, row.gap_from);
	return 0;
}

static bool
covers(const struct stream *stream, struct bytes ns)
{
	return stream->ns.p == NULL ||
	       (stream->ns.len == ns.len && memcmp(stream->ns.p, ns.p, ns.len) == 0);
}

/* A stream that is new to its type: which others bring the same objects? */
static void
note_overlaps(struct type *type, struct stream *stream)
{
	for (struct stream *t = type->streams; t != NULL; t = t->next) {
		if (t->ns.p == NULL || covers(stream, t->ns))
			t->overlaps = stream->overlaps = true;
	}
}

/* The stream is the one named last of its type: to the front. */
static void
bring_forward(struct type *type, struct stream *stream)
{
	struct stream **at = &type->streams;

	while (*at != NULL && *at != stream)
		at = &(*at)->next;
	if (*at != NULL)
		*at = stream->next;
	stream->next = type->streams;
	type->streams = stream;
}

struct stream *
streams_named(struct streams *s, struct bytes path, struct bytes api_version, struct bytes kind)
{
	struct type *type = type_of(s, api_version, kind);
	struct stream *stream;

	if (type == NULL)
		return NULL;
	for (stream = type->streams; stream != NULL; stream = stream->next) {
		if (stream->path_len == path.len &&
		    memcmp(stream->path, path.p, path.len) == 0) {
			bring_forward(type, stream);
			return stream;
		}
	}
	if (path.len > STREAM_PATH_MAX) {
		log_error(s->log, "a stream's path is over %d bytes", STREAM_PATH_MAX);
		return NULL;
	}
	stream = calloc(1, sizeof(*stream) + path.len + 1);
	if (stream == NULL) {
		log_error(s->log, "out of memory");
		return NULL;
	}
	memcpy(stream->path, path.p, path.len);
	stream->path_len = path.len;
	stream->kind = type->kind;
	stream->ns = namespace_of(stream->path, path.len);
	if (load(s, stream) == -1) {
		free(stream);
		return NULL;
	}
	note_overlaps(type, stream);
	bring_forward(type, stream);
	return stream;
}

static struct stream *
stream_for(const struct type *type, struct bytes ns)
{
	for (struct stream *t = type->streams; t != NULL; t = t->next) {
		if (covers(t, ns))
			return t;
	}
	return NULL;
}

struct kind *
streams_of(struct streams *s, struct bytes api_version, struct bytes kind, struct bytes ns,
    struct stream **stream)
{
	struct type *type = type_of(s, api_version, kind);

	*stream = type != NULL ? stream_for(type, ns) : NULL;
	return type != NULL ? type->kind : NULL;
}

struct stream *
streams_find(struct streams *s, struct bytes api_version, struct bytes kind, struct bytes ns)
{
	const struct type *type = *slot(s->table, s->size, api_version, kind);
	struct stream *stream = type != NULL ? stream_for(type, ns) : NULL;

	return stream != NULL && !stream->overlaps ? stream : NULL;
}

void
stream_advance(struct stream *stream, struct bytes version)
{
	if (version.len == 0 || version.len > STREAM_VERSION_MAX)
		return;
	memcpy(stream->version, version.p, version.len);
	stream->version_len = version.len;
	stream->dirty = true;
}

struct bytes
stream_version(const struct stream *stream)
{
	return (struct bytes){stream->version, stream->version_len};
}

void
stream_note_gap(struct stream *stream, struct bytes reason, struct bytes from)
{
	static const struct bytes too_long = {"gap", 3};

	if (reason.len > 0 && stream->gap_reason_len == 0)
		stream->gap_from_len = copy(stream->gap_from, from);
	if (reason.len > STREAM_REASON_MAX)
		reason = too_long;
	stream->gap_reason_len = copy(stream->gap_reason, reason);
	stream->dirty = true;
}

size_t
streams_taint(struct streams *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->size; i++) {
		if (s->table[i] == NULL)
			continue;
		for (struct stream *t = s->table[i]->streams; t != NULL; t = t->next) {
			audit_spoil(t->audit);
			if (t->in_snapshot) {
				t->tainted = true;
				n++;
			}
		}
	}
	return n;
}

int
streams_save(struct streams *s)
{
	for (size_t i = 0; i < s->size; i++) {
		if (s->table[i] == NULL)
			continue;
		for (struct stream *t = s->table[i]->streams; t != NULL; t = t->next) {
			if (t->dirty && save(s, t) == -1)
				return -1;
		}
	}
	return 0;
}
