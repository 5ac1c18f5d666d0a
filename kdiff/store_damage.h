/* SPDX-License-Identifier: Apache-2.0 */
/* A store in which something makes no sense is not used any further: it is marked, the process
 * ends, and the next start sets it aside. */
#ifndef STORE_DAMAGE_H
#define STORE_DAMAGE_H

#include "store_table.h"

/* From now on what LMDB finds impossible, and memory of the store that the disk does not give, end
 * the process with a message, exit code 1 and the mark. */
void store_damage_watch(struct store *s);
/* Nothing of the store is mapped any more. */
void store_damage_unwatch(const struct store *s);

/* Marks the store as damaged. */
void store_damage_mark(struct store *s);

/* Is it the code of a store that is not whole? */
bool store_damage_is(int rc);

/* What is known to be wrong with the store before it is opened; NULL: nothing. missing: there
 * should be one, but is none. */
const char *store_damage_before(const struct store *s, bool *missing);
/* The same of one that is open, by what can be told at once. */
const char *store_damage_open(struct store *s);

#endif
