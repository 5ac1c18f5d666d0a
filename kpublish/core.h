/* SPDX-License-Identifier: Apache-2.0 */
/* The state that kpublish's parts share: intake.c (frames → window), loop.c (window → bus) and
 * verdict.c (bus → window, acknowledgements). One thread. */
#ifndef CORE_H
#define CORE_H

#include "acks.h"
#include "bus.h"
#include "framefile.h"
#include "input.h"
#include "metrics.h"
#include "tool.h"
#include "trouble.h"
#include "window.h"

enum {
	WINDOW_MESSAGES = 8192,
};
#define WINDOW_BYTES ((size_t)32 * 1024 * 1024)

/* In the table of metrics. */
enum {
	COUNT_ACKED,
	COUNT_DEAD,
	COUNT_FAILED,
	COUNT_BYTES,
	COUNT_SHRUNK,
	COUNT_RETRIES,
	COUNT_BAD_FRAMES,
	COUNT_IN_FLIGHT,
	COUNT_WINDOW_BYTES,
	COUNT_LAST_SUCCESS,
	COUNT_CONNECTED,
	COUNTS,
};

/* Of messages that are too large. */
struct shrinking {
	bool told; /* people know that it happens */
	int64_t told_ms;
	char why[TROUBLE_MAX]; /* the bus did not take the last one whole */
};

struct core {
	const struct tool *tool;
	const char *shown; /* the bus's URL, for messages */
	const struct bus *ops;
	struct bus_owner owner;
	void *bus;
	struct window *window;
	struct input in;
	struct acks acks;
	const char *dead_letter_path;   /* NULL: there is no such file */
	struct framefile *dead_letters; /* NULL too when it could not be opened again yet */
	int stop_fd;
	int retry_timeout_s; /* 0: for ever */

	/* The cost of a message that has been read and is not in the window yet; 0: none. */
	size_t wanted;
	bool ended;  /* nothing more is read */
	bool failed; /* nor cut from what has been read; exit 1 when the window is empty */
	bool fatal;  /* exit 1 now */
	int stops;   /* signals that have come */
	bool later;  /* the bus takes nothing until work has been called */
	int64_t progress_ms; /* when something was acked last, or began to wait */
	struct trouble trouble;
	struct shrinking shrinking;
	struct metric counts[COUNTS];
	struct metrics metrics;
};

/* CLOCK_MONOTONIC in milliseconds. */
int64_t core_now_ms(void);

#endif
