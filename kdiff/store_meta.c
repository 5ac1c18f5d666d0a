/* SPDX-License-Identifier: Apache-2.0 */
#include "store_meta.h"

#include <string.h>

#define STORE_VERSION 2

static const char version_key[] = "version"; /* of this layout */
static const char cluster_key[] = "cluster"; /* its id */
static const char counts_key[] = "counts";   /* and their checksum */
static const char lost_key[] = "lost";       /* why, until it is published */

struct counts_row {
	struct store_counts counts;
	uint64_t checksum;
};

static int
put(struct store *s, const char *key, const void *value, size_t len)
{
	return store_table_put(s, META, key, strlen(key), store_value(value, len));
}

static int
get(struct store *s, const char *key, MDB_val *value)
{
	return store_table_get(s, META, key, strlen(key), value);
}

static uint64_t
checksum(const struct store_counts *counts)
{
	return store_checksum(counts_key, sizeof(counts_key) - 1, counts, sizeof(*counts));
}

int
store_meta_put_counts(struct store *s)
{
	struct counts_row row = {.counts = s->counts, .checksum = checksum(&s->counts)};

	return put(s, counts_key, &row, sizeof(row));
}

static int
load_counts(struct store *s)
{
	struct counts_row row = {.checksum = 0};
	MDB_val value;
	int have = get(s, counts_key, &value);

	if (have == -1)
		return -1;
	if (have == 1 && value.mv_size == sizeof(row))
		memcpy(&row, value.mv_data, sizeof(row));
	if (row.checksum != checksum(&row.counts))
		return store_damaged(s, "the row of its counts");
	s->counts = s->stored = row.counts;
	return 0;
}

static int
check_version(struct store *s, const MDB_val *value, bool *refused)
{
	uint32_t version = 0;

	if (value->mv_size == sizeof(version))
		memcpy(&version, value->mv_data, sizeof(version));
	if (version == STORE_VERSION)
		return 0;
	log_error(s->log,
	    "%s: the store has format %u, and this kdiff takes %u: name another --state "
	    "directory, or remove this one to begin anew",
	    s->path, version, STORE_VERSION);
	*refused = true;
	return -1;
}

/* The store is of the cluster that it was first used for. */
static int
check_cluster(struct store *s, const char *id, bool *refused)
{
	MDB_val value;
	int have = get(s, cluster_key, &value);

	if (have == -1 || id == NULL)
		return have == -1 ? -1 : 0;
	if (have == 0)
		return s->read_only ? 0 : put(s, cluster_key, id, strlen(id));
	if (value.mv_size == strlen(id) && memcmp(value.mv_data, id, value.mv_size) == 0)
		return 0;
	log_error(s->log,
	    "%s: the store is of the cluster \"%.*s\", not of \"%s\": name another --state "
	    "directory, or remove this one to begin anew",
	    s->path, (int)value.mv_size, (const char *)value.mv_data, id);
	*refused = true;
	return -1;
}

/* A store that follows on one that is lost goes on behind all that it may have numbered. */
static int
begin(struct store *s, const char *lost)
{
	uint32_t version = STORE_VERSION;

	s->counts = (struct store_counts){.seq = s->seq_bound};
	s->stored = (struct store_counts){.seq = 0};
	if (lost != NULL && put(s, lost_key, lost, strlen(lost)) == -1)
		return -1;
	return put(s, version_key, &version, sizeof(version)) == -1 ? -1
								    : store_meta_put_counts(s);
}

int
store_meta_load(struct store *s, const char *cluster_id, const char *lost, bool *refused)
{
	MDB_val value;
	int have = get(s, version_key, &value);

	if (have == -1)
		return -1;
	if (have == 0 && (s->read_only || !s->is_new))
		return store_damaged(s, "its version");
	if (have == 0 ? begin(s, lost) == -1
		      : check_version(s, &value, refused) == -1 || load_counts(s) == -1)
		return -1;
	return check_cluster(s, cluster_id, refused);
}

const char *
store_lost(struct store *s)
{
	static const char *const reasons[] = {"damaged", "missing"};
	MDB_val value;

	if (get(s, lost_key, &value) != 1)
		return NULL;
	return value.mv_size > 0 && *(const char *)value.mv_data == 'm' ? reasons[1]
									: reasons[0];
}

int
store_lost_told(struct store *s)
{
	return store_table_remove(s, META, lost_key, sizeof(lost_key) - 1);
}
