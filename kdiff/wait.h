/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where kdiff waits. Whatever it waits for, records go out as standard output takes
 * them, acknowledgements are taken, the request to stop is noticed, the metrics are kept. */
#ifndef WAIT_H
#define WAIT_H

#include "kdiff.h"

enum { WAIT_NOT = 0, WAIT_SECOND = 1000 }; /* ms */

/* Waits until there is something to read from in_fd (-1: nothing is wanted), or something else
 * has happened, or for timeout_ms. 1: there is something to read, or the end of it; 0: not; -1 as
 * outflow_push. */
int wait_input(struct kdiff *k, int in_fd, int timeout_ms);

/* True once a second at most: for what need not be done more often. */
bool wait_second_passed(struct kdiff *k);

/* Brings the metrics up to date. Does not block. */
void wait_tick(struct kdiff *k);

#endif
