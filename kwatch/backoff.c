/* SPDX-License-Identifier: Apache-2.0 */
#include "backoff.h"

#include "clock.h"

int64_t
backoff_next(struct backoff *b, int64_t now_ms, int64_t at_least_ms)
{
	int64_t wait;

	if (b->limit_ms == 0 || now_ms - b->until_ms >= BACKOFF_HEALTHY_MS)
		b->limit_ms = BACKOFF_FIRST_MS;
	else
		b->limit_ms =
		    b->limit_ms > BACKOFF_MAX_MS / 2 ? BACKOFF_MAX_MS : 2 * b->limit_ms;
	wait = at_least_ms + 1 + (int64_t)clock_random((uint64_t)b->limit_ms);
	b->until_ms = now_ms + wait;
	return wait;
}
