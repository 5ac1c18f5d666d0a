/* SPDX-License-Identifier: Apache-2.0 */
/* Where changes may be missing, and the records that say so. */
#ifndef GAP_H
#define GAP_H

#include "kdiff.h"

/* A mark says that changes of the stream may be missing, for that reason (as in JSON): the record
 * is written when the snapshot that follows has ended. */
void gap_marked(struct kdiff *k, struct stream *stream, struct bytes reason);

/* An audit shows that changes of the stream have been missed since that resourceVersion (empty: not
 * known): the record is written like that of a mark. */
void gap_missed(struct kdiff *k, struct stream *stream, struct bytes from);

/* A snapshot of the stream begins: when it has been watched before and no mark has said why it is
 * not any longer, the reason is a restart. What was made and deleted meanwhile is not seen. */
void gap_begin(struct stream *stream);

/* A snapshot of the stream, or the stream itself, has ended at that resourceVersion: writes the
 * record of what was noted since the last, if anything was. 0, or -1 with a message. */
int gap_end(struct kdiff *k, struct stream *stream, struct bytes version);

/* What was known before has been lost, for that reason: the record is of the whole cluster, and
 * stands in the same transaction that takes note of it. 0, or -1 with a message. */
int gap_store_lost(struct kdiff *k, const char *reason);

/* Input is lost: the record is written at once, one a batch. object: what is known of it, or
 * NULL. 0, or -1 with a message. */
int gap_lost(struct kdiff *k, const struct object *object);

#endif
