/* SPDX-License-Identifier: Apache-2.0 */
/* A tool's metrics in the Prometheus text format, in a file replaced atomically each second.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (version 0.0.4). */
#ifndef METRICS_H
#define METRICS_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "log.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE };

/* One sample. Samples of one name stand together in the table; help and type are taken from
 * the first of them. Counted by the tool with ++; all in base units (bytes, seconds). */
struct metric {
	const char *name;   /* kollect_kdiff_records_total */
	const char *labels; /* type="created", or NULL; a literal, so never escaped */
	const char *help;
	enum metric_type type;
	uint64_t value;
};

struct metrics {
	const char *path;     /* NULL: nothing is ever written */
	struct metric *table; /* borrowed: the tool's */
	size_t n;
	time_t next; /* CLOCK_MONOTONIC second of the next write */
	int failed;  /* the last write failed and has been reported */
	const struct log *log;
};

void metrics_init(struct metrics *metrics, const struct log *log, const char *path,
    struct metric *table, size_t n);

/* Writes the file when a second has passed since the last time; cheap otherwise. A failure is
 * a warning, once until it works again: metrics never stop the data. */
void metrics_tick(struct metrics *metrics);

/* Writes it now; for the end. */
void metrics_write(struct metrics *metrics);

#endif
