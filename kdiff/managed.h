/* SPDX-License-Identifier: Apache-2.0 */
/* When a change was made and by whom, as metadata.managedFields tells it.
 * Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
#ifndef MANAGED_H
#define MANAGED_H

#include "json.h"

/* Absent (p == NULL) where it cannot be told. Borrowed from the text. */
struct managed {
	struct json_str time;
	struct json_str manager;
};

/* An update: of the entries that now has and then has not (by manager, operation, subresource
 * and time), the newest time, and the manager when all entries of that time name the same. */
struct managed managed_update(struct json_range then, struct json_range now);

/* A creation: the manager, when all entries as old as the object name the same. */
struct managed managed_creation(struct json_range now, struct json_str creation);

#endif
