/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: discovery, then all streams, until there is nothing more to do. */
#ifndef RUN_H
#define RUN_H

#include "env.h"

/* Watches (or dumps, or lists the types). Returns the exit code, with a message when that is
 * not EXIT_OK and standard output was not closed by its reader. */
int run(struct env *env);

/* Prints the uid of the kube-system namespace, which stands for the cluster. As run. */
int run_cluster_id(struct env *env);

/* To be handed to http_run: writes what is pending before the loop sleeps. */
void run_idle(void *arg);

#endif
