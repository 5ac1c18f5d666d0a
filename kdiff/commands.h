/* SPDX-License-Identifier: Apache-2.0 */
/* What kdiff does with a store instead of keeping it: each is an option of that name, and returns
 * the exit code. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "kdiff.h"

typedef int command(struct kdiff *k);

/* Prints where a watch of each stream may go on: path, tab, resourceVersion. */
command positions;
/* Reads all of the store and says what is wrong with it. */
command verify;
/* Prints its objects, sorted by stream, namespace and name. */
command export;
/* Drops the stream k->forget; with k->deletes its objects' deletions go to the outbox. */
command forget;

/* Opens the store for looking at it, and its kinds. -1: it is open; else the exit code. */
int commands_open(struct kdiff *k);

#endif
