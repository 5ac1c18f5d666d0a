/* SPDX-License-Identifier: Apache-2.0 */
/* --resync-fd: kdiff names the streams of which it wants a snapshot, one a line, as marks name
 * them. */
#ifndef RESYNC_H
#define RESYNC_H

#include "env.h"
#include "streams.h"

struct resync;

/* NULL when out of memory. */
struct resync *resync_open(struct env *env, struct streams *set);
void resync_close(struct resync *r);

/* Takes what has come; the descriptor wakes http_run. */
void resync_tick(struct resync *r);

#endif
