/* SPDX-License-Identifier: Apache-2.0 */
/* A file of frames that is moved aside when it is large or old. */
#ifndef ROTATE_H
#define ROTATE_H

#include <stdint.h>
#include <time.h>

/* When; 0: never. */
struct rotation {
	uint64_t bytes;       /* it has no more, unless a single frame does */
	uint64_t seconds;     /* since its first frame */
	struct timespec last; /* the time in the last name */
};

/* Moves the file at path to path.TIME: now in UTC, as 20261123T101500.123456Z; of two names the
 * later is the greater. What has such a name stays as it is. 0, or -1 with errno. */
int rotate_aside(struct rotation *rotation, const char *path);

/* How long ago the file at path was made; 0 where the file system does not say. */
int64_t rotate_age_ms(const char *path);

#endif
