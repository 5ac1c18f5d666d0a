/* SPDX-License-Identifier: Apache-2.0 */
/* The one poll loop: input, bus, acknowledgements, signals, metrics. */
#ifndef LOOP_H
#define LOOP_H

#include "core.h"

struct loop_options {
	const struct bus *ops;
	const struct url *url;
	const char *dead_letter; /* NULL: none */
	int ack_fd;              /* -1: none */
	int retry_timeout_s;     /* 0: for ever */
};

/* Publishes standard input until its end or until stop_fd has a signal, and until all of it is
 * acknowledged. Returns the tool's exit code; what went wrong has been said. */
int loop_run(const struct tool *tool, int stop_fd, const struct loop_options *options);

#endif
