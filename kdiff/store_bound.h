/* SPDX-License-Identifier: Apache-2.0 */
/* A number above every seq that the store has given out, in a file beside it: should the store be
 * lost, the next one goes on from there, so that no consumer ever sees a seq again with another
 * content. It is raised by a million at a time, before the first of them is committed. */
#ifndef STORE_BOUND_H
#define STORE_BOUND_H

#include "store_dir.h"

/* The bound that the file has. When it makes no sense, or is not there and must be, the time in
 * microseconds: no store gives out a million numbers a second for all of its life. Else 0. */
uint64_t store_bound_load(const struct store_dir *dir, bool must_be);

/* Raises *bound, and the file, above seq when they are not. 0, or -1 with errno. */
int store_bound_raise(const struct store_dir *dir, uint64_t *bound, uint64_t seq);

#endif
