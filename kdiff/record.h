/* SPDX-License-Identifier: Apache-2.0 */
/* A change record, one line of kdiff's output: kollect(5), "Change records". */
#ifndef RECORD_H
#define RECORD_H

#include "buf.h"
#include "json.h"
#include "store.h"

enum record_type { RECORD_CREATED, RECORD_UPDATED, RECORD_DELETED };

/* Strings stand as they do in JSON: with their escapes, if they have any. What is absent has
 * p NULL. then and now are compact JSON objects. */
struct record {
	uint64_t seq;
	enum record_type type;
	struct json_str uid;
	struct json_str api_version;
	struct json_str kind;
	struct json_str ns;
	struct json_str name;
	struct json_str resource_version;
	struct json_str applies_at; /* absent: as observed_at */
	const char *observed_at;
	struct json_str manager;
	struct bytes then;
	struct bytes now;
};

/* Appends the record's line to out. 0, or -1 with errno as buf_reserve. */
int record_write(const struct record *record, struct buf *out);

#endif
