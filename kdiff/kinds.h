/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of objects (group and kind; versions of one kind are one), and how the last states
 * of each are packed: zstd with a dictionary made of the kind's first objects, which makes a
 * state three times smaller than zstd alone, and faster. */
#ifndef KINDS_H
#define KINDS_H

#include "buf.h"
#include "store.h"

struct kinds;
struct kind;

/* Loads the kinds that the store knows. store is borrowed; a transaction is open. NULL with a
 * message. */
struct kinds *kinds_open(const struct log *log, struct store *store);
void kinds_close(struct kinds *kinds);

/* The kind of "apps/v1", "Deployment", known or new. Needs an open transaction. Lives as long
 * as kinds. NULL with a message. */
struct kind *kinds_of(struct kinds *kinds, struct bytes api_version, struct bytes kind);
uint32_t kind_id(const struct kind *kind);
/* "apps/Deployment", for messages. */
const char *kind_name(const struct kind *kind);

/* Packs a state; out->bytes is borrowed until the next call. 0, or -1 with a message. */
int kinds_pack(struct kinds *kinds, struct kind *kind, struct bytes state, struct packed *out);
/* Unpacks a state to the end of *out. A kind's dictionary never changes once it has one, so what
 * was packed at any time can be unpacked. -1 with a message: it is damaged. */
int kinds_unpack(struct kinds *kinds, const struct packed *state, struct buf *out);

/* The same without a message, when it is false. */
bool kinds_unpacks(struct kinds *kinds, const struct packed *state, struct buf *out);
/* The kind with that id, or NULL. */
const struct kind *kinds_by_id(const struct kinds *kinds, uint32_t id);

/* A new object of the kind stands in the store: with enough of them, its dictionary is made. */
int kinds_count(struct kinds *kinds, struct kind *kind);

#endif
