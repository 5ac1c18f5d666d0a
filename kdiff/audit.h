/* SPDX-License-Identifier: Apache-2.0 */
/* The self-audit: what the server has, as kwatch's marks `audit`, `exists` and `audited` tell it, is
 * compared with what is known. A difference may be that of an event which is on its way; one that is
 * still the same in the next audit is that of an event which was missed. It is counted and told, and a
 * snapshot of the stream is asked for, which brings what is missing. */
#ifndef AUDIT_H
#define AUDIT_H

#include "kdiff.h"

/* An audit of the stream begins; one that has not ended is forgotten. 0, or -1 with a message. */
int audit_begin(struct kdiff *k, struct stream *stream);

/* Within it, the server has this object. Needs an open transaction. 0; or -1: with a message, or,
 * when the mark makes no sense, with *why. */
int audit_exists(
    struct kdiff *k, struct stream *stream, const struct object *object, const char **why);

/* All that the server has at that resourceVersion has been said. Needs an open transaction. 0, or
 * -1 with a message. */
int audit_end(struct kdiff *k, struct stream *stream, struct bytes version);

/* The audit under way is of no use: a line of it may be lost. NULL is fine. */
void audit_spoil(struct audit *audit);

/* Forgets it all. NULL is fine. */
void audit_free(struct audit *audit);

#endif
