/* SPDX-License-Identifier: Apache-2.0 */
/* A row of the store's streams table: what is kept of a stream across runs. */
#ifndef STREAM_ROW_H
#define STREAM_ROW_H

#include "buf.h"
#include "store.h"

enum {
	STREAM_VERSION_MAX = 128,
	STREAM_REASON_MAX = 200,
	STREAM_PATH_MAX = 64 * 1024, /* no API server takes a longer URL */
};

struct stream_row {
	uint32_t id;
	uint32_t snapshot;    /* number of the latest snapshot begun */
	bool complete;        /* a snapshot has ended at some time */
	bool unfinished;      /* the latest has not, or lines of it were lost */
	struct bytes version; /* the resourceVersion it has come to */
	struct bytes path;    /* all of it: the key may have only the beginning */
	/* Changes may be missing: why (as in JSON; empty: they are not), and since when. */
	struct bytes gap_reason;
	struct bytes gap_from;
};

/* The key of a stream's row: its path, or when that is too long for a key (selectors are as long
 * as people write them) its beginning and the hash of all of it. Borrowed from path or key. */
struct bytes stream_row_key(struct bytes path, char key[STORE_NAME_MAX]);

/* Appends the row's value. 0, or -1 as buf_reserve. */
int stream_row_write(const struct stream_row *row, struct buf *out);
/* Reads it; borrowed from value. -1: that is no such row. */
int stream_row_read(struct bytes value, struct stream_row *row);

/* May a watch go on from where the stream is, with no change missed? */
bool stream_row_resumable(const struct stream_row *row);

#endif
