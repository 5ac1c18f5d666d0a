/* SPDX-License-Identifier: Apache-2.0 */
#include "finish.h"

#include "batch.h"
#include "wait.h"

/* Seconds without progress, at most: of a reader once kdiff is asked to stop, and of
 * acknowledgements at the end. What is left goes out again at the next start. */
enum { PATIENCE_OUTPUT = 2, PATIENCE_ACKS = 5 };

static int
hand_on(struct kdiff *k)
{
	int idle = 0;

	while (outflow_behind(&k->outflow, k->store)) {
		uint64_t before = k->outflow.written;

		if (wait_input(k, -1, WAIT_SECOND) == -1)
			return -1;
		if (k->outflow.written != before || !k->stopping || !store_durable(k->store))
			idle = 0;
		else if (++idle > PATIENCE_OUTPUT)
			break;
	}
	return 0;
}

/* The stages behind see the end of their input, and acknowledge what they have. */
static int
await_acks(struct kdiff *k)
{
	int idle = 0;

	outflow_end(&k->outflow);
	while (k->acks.fd != -1 && k->acks.acked < store_seq(k->store) && !k->stopping &&
	       idle < PATIENCE_ACKS) {
		uint64_t before = k->acks.acked;

		if (wait_input(k, -1, WAIT_SECOND) == -1)
			return -1;
		idle = k->acks.acked != before ? 0 : idle + 1;
	}
	return 0;
}

int
finish(struct kdiff *k)
{
	if ((!k->broken && batch_end(k) == -1) || hand_on(k) == -1)
		return -1;
	if (k->broken || !store_durable(k->store))
		return k->broken ? -1 : 0;
	if (k->ack_fd != -1 && !outflow_behind(&k->outflow, k->store) && await_acks(k) == -1)
		return -1;
	return batch_trim(k);
}
