/* SPDX-License-Identifier: Apache-2.0 */
/* What kdiff does with a store instead of keeping it: each is an option of that name. They return
 * the exit code. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "kdiff.h"

typedef int command(struct kdiff *k);

/* Prints where a watch of each stream may go on: path, tab, resourceVersion. */
command positions;

#endif
