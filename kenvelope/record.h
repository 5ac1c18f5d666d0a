/* SPDX-License-Identifier: Apache-2.0 */
/* A record: one line of what kdiff writes, a change or a gap (kollect(5), DESIGN 1.2). */
#ifndef RECORD_H
#define RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "json.h"

enum record_type {
	RECORD_CREATED,
	RECORD_UPDATED,
	RECORD_DELETED,
	RECORD_GAP,   /* changes of a stream may be missing */
	RECORD_TYPES, /* how many */
};

/* All text and ranges borrow the line; absent ones have p == NULL. */
struct record {
	enum record_type type;
	uint64_t seq; /* 0: none */
	struct json_str uid;
	struct json_str api_version;
	struct json_str kind;
	struct json_str ns;
	struct json_str name;
	struct json_str resource_version;
	struct json_str manager;
	struct timespec applies_at; /* of a gap: observed_at */
	struct timespec observed_at;
	struct json_str observed_text; /* the same as it stands there */
	uint64_t collapsed;            /* changes that were merged into this one */
	struct json_range then;        /* the object before: updated and deleted */
	struct json_range now;         /* the object after: created and updated */
	/* Of a gap alone. */
	struct json_str stream; /* empty: the whole cluster */
	struct json_str from;   /* resourceVersions; empty: not known */
	struct json_str to;
	struct json_str reason;
};

/* Reads a line (without its newline). Where thenBytes and nowBytes are there and fit, the two
 * objects are taken by their lengths and not looked into; else the whole line is scanned, so
 * that records in any order and without lengths are good as well. Unknown members are passed
 * over. 0; or -1 with *why a literal that says what is wrong and *at the byte where. */
int record_read(
    const char *line, size_t len, struct record *record, const char **why, size_t *at);

/* "created", "updated", "deleted" or "gap". */
const char *record_type_name(enum record_type type);

#endif
