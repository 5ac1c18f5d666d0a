/* SPDX-License-Identifier: Apache-2.0 */
/* The streams that kwatch's marks name: which of them an object belongs to, how far each has
 * come, and whether it is within a snapshot. */
#ifndef STREAMS_H
#define STREAMS_H

#include "kinds.h"
#include "store.h"
#include "stream_row.h"

struct audit;

/* One list+watch, named by its API path. The upper part stands in the store: struct stream_row
 * says more of it. */
struct stream {
	uint32_t id;
	uint32_t snapshot;
	bool complete;
	bool unfinished;
	size_t version_len;
	char version[STREAM_VERSION_MAX];
	size_t gap_reason_len;
	char gap_reason[STREAM_REASON_MAX];
	size_t gap_from_len;
	char gap_from[STREAM_VERSION_MAX];

	struct audit *audit; /* see audit.h; NULL: there was none */
	bool in_snapshot;    /* between its begin and end, both seen by this process */
	bool tainted;  /* a line was lost within the snapshot: no deletes follow from it */
	bool overlaps; /* another stream brings such objects too: whose event one is cannot
			   * be told */
	bool dirty;    /* differs from the store */
	struct kind *kind;
	struct bytes ns; /* of its objects; p NULL: all namespaces. Within path. */
	size_t path_len;
	struct stream *next; /* of the same type, in streams.c */
	char path[];
};

struct streams;

struct streams *streams_open(const struct log *log, struct store *store, struct kinds *kinds);
void streams_close(struct streams *streams);

/* The stream with that path, whose objects are of that apiVersion and kind; known or new. From
 * now on such objects belong to it. Needs an open transaction. NULL with a message. */
struct stream *streams_named(
    struct streams *streams, struct bytes path, struct bytes api_version, struct bytes kind);

/* What an object of this apiVersion, kind and namespace belongs to: its kind (NULL with a
 * message on failure), and *stream, NULL when no mark has named one. */
struct kind *streams_of(struct streams *streams, struct bytes api_version, struct bytes kind,
    struct bytes ns, struct stream **stream);

/* The same stream for objects of a type that has been named before, without making anything: NULL
 * when there is none, or when it cannot be told which. */
struct stream *streams_find(
    struct streams *streams, struct bytes api_version, struct bytes kind, struct bytes ns);

/* The stream has come to this resourceVersion. */
void stream_advance(struct stream *stream, struct bytes version);
struct bytes stream_version(const struct stream *stream);

/* Changes may be missing from that resourceVersion on, or from that which was noted first, for that
 * reason (as in JSON). An empty reason takes it back. */
void stream_note_gap(struct stream *stream, struct bytes reason, struct bytes from);

/* Lines are lost: no snapshot now under way may lead to deletes. Returns how many there are. */
size_t streams_taint(struct streams *streams);

/* Writes what has changed to the store, for the commit that follows. */
int streams_save(struct streams *streams);

#endif
