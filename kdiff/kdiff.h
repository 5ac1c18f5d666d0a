/* SPDX-License-Identifier: Apache-2.0 */
/* What one run of kdiff works with; owned by main.c, passed down the path of a line. */
#ifndef KDIFF_H
#define KDIFF_H

#include "acks.h"
#include "buf.h"
#include "event.h"
#include "kinds.h"
#include "metrics.h"
#include "out.h"
#include "store.h"
#include "streams.h"
#include "timefmt.h"
#include "tool.h"

/* The metrics, in the order of the table in options.c. */
enum counter {
	COUNT_ADDED,
	COUNT_MODIFIED,
	COUNT_DELETED,
	COUNT_BOOKMARK,
	COUNT_CREATED_RECORDS,
	COUNT_UPDATED_RECORDS,
	COUNT_DELETED_RECORDS,
	COUNT_UNCHANGED,
	COUNT_STALE,
	COUNT_IGNORED,
	COUNT_LEARNED,
	COUNT_BAD,
	COUNT_GAPS,
	COUNT_SNAPSHOTS,
	COUNT_INPUT_BYTES,
	COUNT_OUTPUT_BYTES,
	COUNT_OBJECTS,
	COUNT_SEQ,
	COUNT_ACKED,
	COUNTERS,
};

struct kdiff {
	struct tool tool;
	const char *state; /* --state, or NULL */
	bool baseline;
	bool ignore_metadata;
	int ack_fd;           /* --ack-fd, or -1 */
	struct metric *count; /* COUNTERS of them */
	struct metrics metrics;
	struct acks acks;

	struct store *store;
	struct kinds *kinds;
	struct streams *streams;

	/* The batch: what the open transaction stands for. */
	struct buf records; /* the lines to write once it is committed */
	unsigned events;    /* that it has taken */
	struct out out;

	struct buf state_text;       /* the last state of the object at hand, unpacked */
	struct buf plain[6];         /* strings of the object at hand that had escapes */
	char observed[TIMEFMT_SIZE]; /* when the input at hand was read */
};

/* Ends the batch: commits, then hands on its records. 0; or -1, with a message unless the
 * reader has gone (EPIPE). */
int batch_end(struct kdiff *k);
/* Room for an event of that many bytes in the batch, which is ended and begun as need be. */
int batch_room(struct kdiff *k, size_t bytes);

/* Takes what the bus has acknowledged and brings the metrics up to date. Does not block. */
void kdiff_tick(struct kdiff *k);

#endif
