/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what a server says about its types: aggregated discovery (KEP-3352) and the older form.
 * Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api */
#ifndef DISCOVERY_H
#define DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>

#include "types.h"

/* Each returns 0; -1: the text is malformed or something else (or memory ran out), and what was
 * added must not be used. */

/* Is it the aggregated form? Else it is for discovery_groups. */
bool discovery_is_aggregated(const char *text, size_t len);
/* APIGroupDiscoveryList → types, stale groups noted. */
int discovery_aggregated(const char *text, size_t len, struct types *types);

/* APIGroupList or APIVersions → *paths: memory of the caller's, a comma-separated list of
 * group/version (the core group: /v1), each group's preferred version first. */
int discovery_groups(const char *text, size_t len, char **paths);
/* APIResourceList of that group and version → types. */
int discovery_resources(
    const char *text, size_t len, const char *group, const char *version, struct types *types);

#endif
