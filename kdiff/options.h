/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "kdiff.h"

/* Sets *k from the command line. -1: go on; otherwise the exit code. */
int options_parse(struct kdiff *k, int argc, char **argv);

/* The metrics, COUNTERS of them, all zero: the caller's to free. NULL when out of memory. */
struct metric *options_metrics(void);

#endif
