/* SPDX-License-Identifier: Apache-2.0 */
/* One transaction a batch of input: state, stream positions and sequence number change
 * together, and no record leaves before its commit. */
#include <errno.h>
#include <string.h>

#include "kdiff.h"

enum {
	BATCH_EVENTS = 512,
	BATCH_BYTES = 1024 * 1024, /* of records */
};

void
kdiff_tick(struct kdiff *k)
{
	acks_read(&k->acks);
	k->count[COUNT_ACKED].value = k->acks.acked;
	metrics_tick(&k->metrics);
}

int
batch_end(struct kdiff *k)
{
	size_t objects;

	if (k->events == 0)
		return 0;
	if (store_begin(k->store, 0) == -1 || streams_save(k->streams) == -1 ||
	    store_objects(k->store, &objects) == -1 || store_commit(k->store) == -1)
		return -1;
	k->count[COUNT_OBJECTS].value = objects;
	k->count[COUNT_SEQ].value = store_seq(k->store);
	k->events = 0;
	if (k->records.len > 0 && (out_add(&k->out, k->records.data, k->records.len) == -1 ||
				      out_flush(&k->out) == -1)) {
		if (errno != EPIPE)
			log_error(&k->tool.log, "cannot write records: %s", strerror(errno));
		return -1;
	}
	k->count[COUNT_OUTPUT_BYTES].value = k->out.written;
	k->records.len = 0;
	buf_shrink(&k->records, (size_t)4 * BATCH_BYTES);
	kdiff_tick(k);
	return 0;
}

int
batch_room(struct kdiff *k, size_t bytes)
{
	if (k->events >= BATCH_EVENTS || k->records.len >= BATCH_BYTES ||
	    !store_has_room(k->store, bytes)) {
		if (batch_end(k) == -1)
			return -1;
	}
	k->events++;
	return store_begin(k->store, bytes);
}
