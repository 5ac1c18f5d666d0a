/* SPDX-License-Identifier: Apache-2.0 */
#include "backoff.h"

#include <stdint.h>
#include <sys/random.h>

int
backoff_ms(unsigned attempt, int base_ms, int max_ms)
{
	int64_t limit = base_ms;
	uint32_t random = UINT32_MAX / 2;

	for (unsigned i = 1; i < attempt && limit < max_ms; i++)
		limit *= 2;
	if (limit > max_ms)
		limit = max_ms;
	/* Short of entropy only while a machine boots: the middle will do. */
	(void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
	return (int)(random % (uint64_t)(limit + 1));
}
