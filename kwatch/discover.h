/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the server for its types: two requests for aggregated discovery, or one for each group's
 * version of a server that does not have it. */
#ifndef DISCOVER_H
#define DISCOVER_H

#include "env.h"
#include "types.h"

struct discover;

/* The end of it. types is taken by the callee; empty when why is not NULL: what failed, with
 * the server's answer, for a message. denied: the server answered, and does not let us. */
typedef void discover_done(void *arg, struct types *types, const char *why, bool denied);

/* NULL when out of memory. */
struct discover *discover_open(struct env *env, discover_done *done, void *arg);
void discover_close(struct discover *d);

/* Asks. done is called once, from http_run. Nothing when it is being asked already. */
void discover_start(struct discover *d);
bool discover_running(const struct discover *d);

#endif
