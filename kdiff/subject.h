/* SPDX-License-Identifier: Apache-2.0 */
/* The object that an event is about: who it is, and which stream brings it. */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "change.h"

/* Its strings stand without escapes, within the object's text or k->plain. */
struct subject {
	const struct object *object;
	struct bytes uid;
	struct bytes api_version;
	struct bytes kind_part;
	struct bytes ns;
	struct bytes name;
	struct bytes version;
	struct uid_key key;
	struct kind *kind;
	struct stream *stream; /* NULL: none is known to bring such objects */
};

/* What the object is; CHANGE_BAD with *why when it lacks what every object has. */
enum change_result subject_of(
    struct kdiff *k, const struct object *object, struct subject *subject, const char **why);

/* A live event moves its stream's position on; those of a snapshot come in no order. */
void subject_advance(const struct subject *subject);

/* Has the stream already been past this version? Then the event is an old one come again. */
bool subject_behind_stream(const struct subject *subject);

#endif
