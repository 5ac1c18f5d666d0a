/* SPDX-License-Identifier: Apache-2.0 */
/* From an event about an object to the change it stands for: the comparison with the store. */
#ifndef CHANGE_H
#define CHANGE_H

#include "kdiff.h"

enum change_result {
	CHANGE_OK,
	CHANGE_BAD, /* the object lacks what every object has: *why says what; nothing changed
		     */
	CHANGE_FAILED, /* the store or memory failed, with a message */
};

/* Takes an ADDED, MODIFIED or DELETED. Text must be compact: it becomes part of a record. */
enum change_result change_apply(
    struct kdiff *k, enum event_type type, const struct object *object, const char **why);

/* The object was deleted while nobody looked: the record has its last known state. uid must
 * stand in the store. 0 or -1. */
int change_vanished(struct kdiff *k, const struct kind *kind, const struct uid_key *uid,
    const struct known *known);

#endif
