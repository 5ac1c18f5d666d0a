/* SPDX-License-Identifier: Apache-2.0 */
#include "store_bound.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char name[] = "seq";
static const uint64_t step = (uint64_t)1 << 20;

static uint64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t
store_bound_load(const struct store_dir *d, bool must_be)
{
	char text[STORE_DIR_TEXT];
	unsigned long long n = 0;
	char *end;

	if (!must_be && !store_dir_has(d, name))
		return 0;
	if (store_dir_read(d, name, text)) {
		errno = 0;
		n = strtoull(text, &end, 10);
		if (errno != 0 || end == text || *end != '\n')
			n = 0;
	}
	return n > 0 ? n : now_us();
}

int
store_bound_raise(const struct store_dir *d, uint64_t *bound, uint64_t seq)
{
	char text[STORE_DIR_TEXT];

	if (seq < *bound)
		return 0;
	snprintf(text, sizeof(text), "%" PRIu64 "\n", seq + step);
	if (store_dir_write(d, name, text) == -1)
		return -1;
	*bound = seq + step;
	return 0;
}
