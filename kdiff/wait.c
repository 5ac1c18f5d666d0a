/* SPDX-License-Identifier: Apache-2.0 */
#include "wait.h"

#include <poll.h>
#include <time.h>

void
wait_tick(struct kdiff *k)
{
	k->count[COUNT_OUTPUT_BYTES].value = k->outflow.written;
	k->count[COUNT_SEQ].value = store_committed_seq(k->store);
	k->count[COUNT_ACKED].value = k->acks.acked;
	k->count[COUNT_OUTBOX_ROWS].value = outbox_rows(k->store);
	k->count[COUNT_OUTBOX_BYTES].value = outbox_bytes(k->store);
	k->count[COUNT_SPOOL_FULL].value = k->spool_full;
	k->count[COUNT_STORE_FULL].value = k->disk_full;
	k->count[COUNT_READY].value = !k->disk_full;
	k->count[COUNT_AGAIN].value = k->outflow.again;
	resync_push(&k->resync);
	metrics_tick(&k->metrics);
}

bool
wait_second_passed(struct kdiff *k)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec <= k->second)
		return false;
	k->second = now.tv_sec;
	return true;
}

int
wait_input(struct kdiff *k, int in_fd, int timeout_ms)
{
	enum { INPUT, STOP, ACKS, OUTPUT, FDS };
	struct pollfd fds[FDS] = {
	    [INPUT] = {.fd = in_fd, .events = POLLIN},
	    [STOP] = {.fd = k->stopping ? -1 : k->stop_fd, .events = POLLIN},
	    [ACKS] = {.fd = k->acks.fd, .events = POLLIN},
	    [OUTPUT] = {.fd = outflow_waits(&k->outflow) ? k->outflow.fd : -1,
		.events = POLLOUT},
	};

	/* There is more to make from the outbox, and standard output takes it. */
	if (fds[OUTPUT].fd == -1 && outflow_behind(&k->outflow, k->store) &&
	    !store_in_transaction(k->store)) {
		if (outflow_push(&k->outflow, k->store, k->kinds) == -1)
			return -1;
		timeout_ms = WAIT_NOT;
	}
	if (poll(fds, FDS, timeout_ms) <= 0) {
		wait_tick(k);
		return 0;
	}
	if (fds[ACKS].revents != 0)
		acks_read(&k->acks, outflow_begun(&k->outflow));
	if (fds[OUTPUT].revents != 0 && outflow_push(&k->outflow, k->store, k->kinds) == -1)
		return -1;
	k->stopping |= fds[STOP].revents != 0;
	wait_tick(k);
	return fds[INPUT].revents != 0;
}
