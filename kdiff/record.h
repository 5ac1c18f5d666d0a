/* SPDX-License-Identifier: Apache-2.0 */
/* A change record, one line of kdiff's output: kollect(5), "Change records". It is written in two
 * steps, since the text of its small members is kept in the outbox as it is. */
#ifndef RECORD_H
#define RECORD_H

#include "buf.h"
#include "json.h"
#include "store.h"

enum record_type {
	RECORD_CREATED,
	RECORD_UPDATED,
	RECORD_DELETED,
	RECORD_GAP, /* no object's change: changes may be missing */
	RECORD_TYPES,
};

/* Who changed, when, by whom. Strings stand as they do in JSON: with their escapes, if they have
 * any. What is absent has p NULL. */
struct record {
	struct json_str uid;
	struct json_str api_version;
	struct json_str kind;
	struct json_str ns;
	struct json_str name;
	struct json_str resource_version;
	struct json_str applies_at; /* absent: as observed_at */
	const char *observed_at;
	struct json_str manager;
};

/* Between which resourceVersions of which stream changes may be missing, and why; as in JSON.
 * Empty where it cannot be told. */
struct gap {
	struct bytes stream; /* empty: the whole cluster's */
	struct bytes from;
	struct bytes to;
	struct bytes reason;
	const char *observed_at;
};

/* Appends the text of the small members behind type, beginning with a comma. 0, or -1 with errno
 * as buf_reserve. */
int record_small(const struct record *record, struct buf *out);
int record_small_gap(const struct gap *gap, struct buf *out);

/* A whole record. then and now are compact JSON objects; absent ones have p NULL. */
struct record_line {
	uint64_t seq;
	enum record_type type;
	uint32_t collapsed; /* 0: the member is absent */
	struct bytes small;
	struct bytes then;
	struct bytes now;
};

/* Appends the record's line to out. 0, or -1 as above. */
int record_line(const struct record_line *line, struct buf *out);

#endif
