/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "kdiff.h"

/* What --spool-max is by default. */
#define SPOOL_MAX ((uint64_t)1 << 30)

/* Sets *k from the command line. -1: go on; otherwise the exit code. */
int options_parse(struct kdiff *k, int argc, char **argv);

#endif
