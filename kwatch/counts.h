/* SPDX-License-Identifier: Apache-2.0 */
/* What kwatch counts for --metrics. */
#ifndef COUNTS_H
#define COUNTS_H

#include "event.h"
#include "metrics.h"

enum count {
	COUNT_EVENTS, /* + enum event_type */
	COUNT_BYTES = COUNT_EVENTS + EVENT_TYPES,
	COUNT_SNAPSHOTS,
	COUNT_RESUMED,
	COUNT_GAPS,
	COUNT_AUDITS,
	COUNT_RESYNCS,
	COUNT_RECONNECTS,
	COUNT_DISCOVERIES,
	COUNT_STREAMS_QUEUED,
	COUNT_STREAMS_SNAPSHOT,
	COUNT_STREAMS_WATCHING,
	COUNT_STREAMS_PAUSED,
	COUNT_STREAMS_DENIED,
	COUNT_ERROR_401,
	COUNT_ERROR_403,
	COUNT_ERROR_404,
	COUNT_ERROR_410,
	COUNT_ERROR_422,
	COUNT_ERROR_429,
	COUNT_ERROR_500,
	COUNT_ERROR_503,
	COUNT_ERROR_504,
	COUNT_ERROR_OTHER,
	COUNT_ERROR_CONNECTION,
	COUNT_ERROR_MALFORMED,
	COUNTS,
};

struct counts {
	struct metric table[COUNTS];
	struct metrics metrics;
};

/* path NULL: counted, but never written. */
void counts_init(struct counts *counts, const struct log *log, const char *path);

static inline void
counts_add(struct counts *counts, enum count what, uint64_t n)
{
	counts->table[what].value += n;
}

/* Counts a refusal by its HTTP status. */
void counts_status(struct counts *counts, long status);

#endif
