/* SPDX-License-Identifier: Apache-2.0 */
/* What one run of kdiff works with; owned by main.c, passed down the path of a line. */
#ifndef KDIFF_H
#define KDIFF_H

#include "acks.h"
#include "buf.h"
#include "event.h"
#include "kinds.h"
#include "metrics.h"
#include "outflow.h"
#include "resync.h"
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
	COUNT_GAP_RECORDS,
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
	COUNT_OUTBOX_ROWS,
	COUNT_OUTBOX_BYTES,
	COUNT_SPOOL_FULL,
	COUNT_COLLAPSED,
	COUNT_AGAIN,
	COUNT_SYNCED,
	COUNT_STORE_FULL,
	COUNT_READY,
	COUNT_AUDITS,
	COUNT_AUDIT_MISSED,
	COUNTERS,
};

/* --sync: when what is committed is brought to the disk. */
enum kdiff_sync {
	SYNC_ALWAYS,   /* each commit */
	SYNC_INTERVAL, /* some time after it */
	SYNC_NEVER,    /* at the end */
};

struct kdiff {
	struct tool tool;
	int (*command)(struct kdiff *k); /* to be done instead; NULL: none */
	const char *state;               /* --state, or NULL */
	const char *cluster_id;          /* or NULL */
	enum kdiff_sync sync;
	unsigned sync_every; /* with SYNC_INTERVAL: seconds */
	const char *forget;  /* --forget, or NULL */
	bool deletes;        /* --deletes */
	bool baseline;
	bool ignore_metadata;
	bool coalesce;        /* --overflow */
	uint64_t spool_max;   /* bytes that the outbox may have; 0: any */
	int ack_fd;           /* --ack-fd, or -1 */
	int resync_fd;        /* --resync-fd, or -1 */
	struct metric *count; /* COUNTERS of them */
	struct metrics metrics;
	struct acks acks;
	struct resync resync;
	int stop_fd;
	bool stopping; /* asked to */
	bool broken;   /* an event could not be finished: its batch may not be committed */
	/* It was asked to while it waited for room: input that it has read was not taken. */
	bool gave_up;

	struct store *store;
	struct kinds *kinds;
	struct streams *streams;
	struct outflow outflow;

	/* The batch: what the open transaction stands for. */
	unsigned events;    /* that it has taken */
	size_t batch_bytes; /* of the records that they made */
	bool batch_gap;     /* it has a gap's record for lines of which no stream is known */

	uint64_t trimmed;    /* rows up to that seq have been removed from the outbox */
	uint64_t maybe_sent; /* records up to that seq may have been written by a former run */
	bool spool_full;     /* it is, and a message has said so */
	bool disk_full;      /* likewise */

	time_t second; /* CLOCK_MONOTONIC, when wait_second_passed was true last */
	time_t synced; /* likewise, when the store was brought to the disk last */

	struct buf small;            /* the small members of the record at hand */
	struct buf state_text;       /* the last state of the object at hand, unpacked */
	struct buf plain[6];         /* strings of the object at hand that had escapes */
	char observed[TIMEFMT_SIZE]; /* when the input at hand was read */
};

#endif
