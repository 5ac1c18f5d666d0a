/* SPDX-License-Identifier: Apache-2.0 */
/* A record is born here: it gets its number, its text or its place in the outbox, or both. */
#ifndef EMIT_H
#define EMIT_H

#include "kdiff.h"

/* What a change record is about. */
struct emission {
	enum record_type type;
	struct record *record; /* observed_at is set here */
	struct bytes then;     /* the states, as JSON; p NULL: absent */
	struct bytes now;
	/* The same packed, where they are so already; else a row of the outbox packs them. */
	struct packed packed_then;
	struct packed packed_now;
	struct kind *kind; /* to pack them as */
	uint64_t last;     /* seq of the object's last record; 0: it has none */
};

/* 0, or -1 with a message. */
int emit_change(struct kdiff *k, const struct emission *e);
/* observed_at is set here. */
int emit_gap(struct kdiff *k, struct gap *gap);

#endif
