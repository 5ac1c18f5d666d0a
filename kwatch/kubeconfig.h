/* SPDX-License-Identifier: Apache-2.0 */
/* Kubeconfig files, found and merged as kubectl does it. */
#ifndef KUBECONFIG_H
#define KUBECONFIG_H

#include "cluster.h"

/* Fills the zeroed *cluster (its log set) from the context named (NULL: the current one). files
 * is a colon-separated list; for each value the first file that has it counts. strict: a file
 * that does not exist is an error; else only if none of them does. 0, or -1 with a message that
 * names the file and the cause. */
int kubeconfig_load(
    struct cluster *cluster, const char *paths, bool strict, const char *context);

/* Finds the configuration: explicit, else $KUBECONFIG, else ~/.kube/config if that is there,
 * else the pod's. 0, or -1 with a message. */
int kubeconfig_find(struct cluster *cluster, const char *explicit, const char *context);

#endif
