/* SPDX-License-Identifier: Apache-2.0 */
#include "emit.h"

#include <errno.h>
#include <string.h>

/* Must the record stand in the outbox? In a store that outlives the process always; else only
 * when its text is not wanted now: nobody could ask for it again. */
static bool
needs_row(const struct kdiff *k, uint64_t seq)
{
	return store_durable(k->store) || !outflow_wants(&k->outflow, seq);
}

/* The state packed, if there is one and it is not yet. */
static int
pack(struct kdiff *k, const struct emission *e, struct bytes state, const struct packed *have,
    struct packed *out)
{
	*out = *have;
	if (state.p == NULL || have->bytes.p != NULL)
		return 0;
	return kinds_pack(k->kinds, e->kind, state, out);
}

/* May the object's last record be dropped for the one that follows it? The outbox is half full,
 * nobody has seen the record, and nobody has begun to write it. */
static bool
may_collapse(const struct kdiff *k, uint64_t last)
{
	return k->coalesce && k->spool_max > 0 && outbox_bytes(k->store) >= k->spool_max / 2 &&
	       last > k->maybe_sent && last >= k->outflow.next;
}

/* Makes the row that of both changes: from the state before the older to the one after the
 * newer. */
static void
merge(struct outbox_row *row, const struct outbox_row *older)
{
	row->collapsed = older->collapsed + 1;
	if (row->type == RECORD_DELETED) /* its then is the last state */
		return;
	row->type = older->type;
	row->then = older->then;
}

/* Adds the row in the place of the object's last one, if there is any in the outbox. */
static int
add_merged(struct kdiff *k, struct outbox_row *row, uint64_t last)
{
	struct outbox_row older;
	int have = outbox_get(k->store, last, &older);

	if (have == -1)
		return -1;
	if (have == 0 || older.seq != last)
		return outbox_add(k->store, row);
	merge(row, &older);
	k->count[COUNT_COLLAPSED].value++;
	/* What is to go is told by its lengths alone. */
	return outbox_add(k->store, row) == -1 ? -1 : outbox_remove(k->store, &older);
}

static int
add_row(struct kdiff *k, const struct emission *e, uint64_t seq)
{
	struct outbox_row row = {
	    .seq = seq,
	    .type = e->type,
	    .small = {k->small.data, k->small.len},
	};

	/* Never are both states still to be packed: kinds_pack holds but one. */
	if (pack(k, e, e->then, &e->packed_then, &row.then) == -1 ||
	    pack(k, e, e->now, &e->packed_now, &row.now) == -1)
		return -1;
	return may_collapse(k, e->last) ? add_merged(k, &row, e->last)
					: outbox_add(k->store, &row);
}

/* The record whose small members are at hand, to where it has to go. */
static int
emit(struct kdiff *k, const struct emission *e)
{
	struct record_line line = {
	    .seq = store_seq(k->store) + 1,
	    .type = e->type,
	    .small = {k->small.data, k->small.len},
	    .then = e->then,
	    .now = e->now,
	};

	if (needs_row(k, line.seq) && add_row(k, e, line.seq) == -1)
		return -1;
	if (outflow_wants(&k->outflow, line.seq) && outflow_add(&k->outflow, &line) == -1)
		return -1;
	store_set_seq(k->store, line.seq);
	k->batch_bytes += k->small.len + e->then.len + e->now.len;
	k->count[COUNT_CREATED_RECORDS + e->type].value++;
	return 0;
}

int
emit_change(struct kdiff *k, const struct emission *e)
{
	e->record->observed_at = k->observed;
	if (e->record->ns.len == 0)
		e->record->ns.p = NULL;
	k->small.len = 0;
	if (record_small(e->record, &k->small) == -1) {
		log_error(&k->tool.log, "cannot write the record of %.*s %.*s: %s",
		    (int)e->record->kind.len, e->record->kind.p, (int)e->record->name.len,
		    e->record->name.p, strerror(errno));
		return -1;
	}
	return emit(k, e);
}

int
emit_gap(struct kdiff *k, struct gap *gap)
{
	struct emission e = {.type = RECORD_GAP};

	gap->observed_at = k->observed;
	k->small.len = 0;
	if (record_small_gap(gap, &k->small) == -1) {
		log_error(&k->tool.log, "cannot write a gap's record: %s", strerror(errno));
		return -1;
	}
	return emit(k, &e);
}
