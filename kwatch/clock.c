/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <sys/random.h>
#include <time.h>

int64_t
clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + 1;
}

/* Asked for a few times a minute, so the kernel's generator needs no state of ours. The
 * modulo's bias is below 2^-40 for the n in use. */
uint64_t
clock_random(uint64_t n)
{
	uint64_t r;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != (ssize_t)sizeof(r))
		r = (uint64_t)clock_ms() * 2654435761U;
	return r % n;
}
