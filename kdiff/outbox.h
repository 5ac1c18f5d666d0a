/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox: the records that are not acknowledged yet, as rows of the store. A row is not the
 * record's text but what is needed to make it again, byte for byte: the text of its small
 * members, and the states as they are packed anyway. Dictionaries never change once they are in
 * use, so a row can be unpacked for as long as it stands here. */
#ifndef OUTBOX_H
#define OUTBOX_H

#include "record.h"
#include "store.h"

struct outbox_row {
	uint64_t seq;
	enum record_type type;
	uint32_t collapsed; /* records that were dropped for this one */
	struct bytes small; /* as record_small writes it */
	struct packed then; /* bytes.p NULL: the record has none */
	struct packed now;
};

/* A transaction is open for all of these. */

/* Adds the row, whose seq is above all others. 0 or -1. */
int outbox_add(struct store *store, const struct outbox_row *row);
/* The first row whose seq is not below. What it hands out is valid until the next change. 1, 0:
 * there is none, -1. */
int outbox_get(struct store *store, uint64_t seq, struct outbox_row *row);
/* Removes that row. 0 or -1. */
int outbox_remove(struct store *store, const struct outbox_row *row);
/* Removes the rows up to that seq, but not more than max of them. How many, or -1. */
long outbox_trim(struct store *store, uint64_t seq, long max);

/* What a row says; false: it makes no sense, or not under that key. Ranges are of the row. */
bool outbox_parse(struct bytes key, struct bytes value, struct outbox_row *row);
/* What a row adds to outbox_bytes. */
uint64_t outbox_cost(struct bytes value);

/* How much stands in it, uncommitted changes included; no transaction is needed. */
uint64_t outbox_rows(const struct store *store);
uint64_t outbox_bytes(const struct store *store);

#endif
