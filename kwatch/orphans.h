/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of an earlier run (--resume) that this one does not have: the type is gone, or is served
 * in another version, or is not asked for any more. What is gone is told with a gone mark, and
 * not before all else is complete, since its objects may be those of another stream by now. */
#ifndef ORPHANS_H
#define ORPHANS_H

#include "env.h"
#include "streams.h"

struct orphans;

/* NULL when out of memory. */
struct orphans *orphans_open(struct env *env, struct streams *set);
void orphans_close(struct orphans *o);

/* The server has these types, and the streams have been brought in line with them. */
void orphans_update(struct orphans *o, const struct types *types);

/* Asks and marks as it is time to. Returns the milliseconds until something is to be done again,
 * -1: nothing. */
int orphans_tick(struct orphans *o);

#endif
