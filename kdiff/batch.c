/* SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"

#include "wait.h"

enum {
	BATCH_EVENTS = 512,
	BATCH_BYTES = 1024 * 1024, /* of records */
	TRIM_ROWS = 4096,          /* removed in one transaction */
};

/* The disk is full: says so, once, and waits a while. 0, or -1: it is not to wait any more. */
static int
wait_for_disk(struct kdiff *k)
{
	if (!k->disk_full)
		log_warning(&k->tool.log, "%s: %s: no input is read until there is room again",
		    store_path(k->store), store_full_reason(k->store));
	k->disk_full = true;
	if (k->stopping) {
		log_error(&k->tool.log,
		    "%s: stopped while there was no room: what was read "
		    "last is not in the store",
		    store_path(k->store));
		return -1;
	}
	return wait_input(k, -1, WAIT_SECOND) == -1 ? -1 : 0;
}

static int
begin(struct kdiff *k, size_t need)
{
	enum store_result result;

	while ((result = store_begin(k->store, need)) == STORE_FULL) {
		if (wait_for_disk(k) == -1)
			return -1;
	}
	return result == STORE_OK ? 0 : -1;
}

static int
commit(struct kdiff *k)
{
	enum store_result result;

	while ((result = store_commit(k->store)) == STORE_FULL) {
		if (wait_for_disk(k) == -1)
			return -1;
	}
	if (result == STORE_OK && k->disk_full) {
		log_info(&k->tool.log, "%s: there is room again", store_path(k->store));
		k->disk_full = false;
	}
	if (result != STORE_OK)
		return -1;
	k->count[COUNT_SYNCED].value += store_durable(k->store) && k->sync == SYNC_ALWAYS;
	return 0;
}

uint64_t
batch_settled(const struct kdiff *k)
{
	return k->ack_fd != -1 && store_durable(k->store) ? k->acks.acked
							  : outflow_written(&k->outflow);
}

/* Within the open transaction. */
static int
trim(struct kdiff *k)
{
	uint64_t settled = batch_settled(k);
	long n;

	if (settled <= k->trimmed)
		return 0;
	n = outbox_trim(k->store, settled, TRIM_ROWS);
	if (n == -1)
		return -1;
	if (n < TRIM_ROWS)
		k->trimmed = settled;
	return 0;
}

int
batch_trim(struct kdiff *k)
{
	while (batch_settled(k) > k->trimmed) {
		if (begin(k, 0) == -1 || trim(k) == -1 || commit(k) == -1)
			return -1;
	}
	return 0;
}

/* Once a second. */
static int
sync(struct kdiff *k)
{
	int done;

	if (k->sync != SYNC_INTERVAL || k->second - k->synced < (time_t)k->sync_every)
		return 0;
	done = store_sync(k->store);
	if (done != 0)
		k->synced = k->second;
	k->count[COUNT_SYNCED].value += done == 1;
	return done == -1 ? -1 : 0;
}

int
batch_idle(struct kdiff *k)
{
	if (!wait_second_passed(k))
		return 0;
	return batch_trim(k) == -1 ? -1 : sync(k);
}

int
batch_end(struct kdiff *k)
{
	size_t objects;

	if (k->events == 0)
		return 0;
	if (begin(k, 0) == -1 || trim(k) == -1 || streams_save(k->streams) == -1 ||
	    store_objects(k->store, &objects) == -1 || commit(k) == -1)
		return -1;
	k->count[COUNT_OBJECTS].value = objects;
	k->events = 0;
	k->batch_bytes = 0;
	k->batch_gap = false;
	outflow_release(&k->outflow);
	if (outflow_push(&k->outflow, k->store, k->kinds) == -1)
		return -1;
	wait_tick(k);
	return wait_second_passed(k) ? sync(k) : 0;
}

static bool
spool_is_full(const struct kdiff *k)
{
	return k->spool_max > 0 && outbox_bytes(k->store) >= k->spool_max;
}

/* Until records are acknowledged (or, where nobody does that, written). 0 or -1. */
static int
wait_for_spool(struct kdiff *k)
{
	if (batch_end(k) == -1)
		return -1;
	while (spool_is_full(k)) {
		if (batch_settled(k) > k->trimmed) {
			if (batch_trim(k) == -1)
				return -1;
			continue;
		}
		if (!k->spool_full)
			log_warning(&k->tool.log,
			    "the spool is full (%llu bytes of records wait): no input is read "
			    "until there is room again",
			    (unsigned long long)outbox_bytes(k->store));
		k->spool_full = true;
		/* What a temporary store knows would be lost. */
		if (k->stopping && store_durable(k->store)) {
			k->gave_up = true;
			return -1;
		}
		if (wait_input(k, -1, WAIT_SECOND) == -1)
			return -1;
	}
	if (k->spool_full)
		log_info(&k->tool.log, "the spool has room again");
	k->spool_full = false;
	return 0;
}

int
batch_room(struct kdiff *k, size_t bytes)
{
	if ((k->events >= BATCH_EVENTS || k->batch_bytes >= BATCH_BYTES ||
		!store_has_room(k->store, bytes)) &&
	    batch_end(k) == -1)
		return -1;
	if (spool_is_full(k) && wait_for_spool(k) == -1)
		return -1;
	k->events++;
	return begin(k, bytes);
}
