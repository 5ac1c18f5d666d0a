/* SPDX-License-Identifier: Apache-2.0 */
#include "rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STAMP_SIZE = 80, TRIES = 1000 };

#define MICROSECOND 1000L
#define SECOND      1000000000L

/* As rename(2), but nothing is replaced. */
static int
move(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL) /* a file system that does not know the flag */
		return -1;
	errno = EEXIST;
	return access(to, F_OK) == 0 ? -1 : rename(from, to);
}

/* A time behind the last one, even if the clock has been put back. */
static void
next_time(struct timespec *last)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_nsec -= now.tv_nsec % MICROSECOND;
	if (now.tv_sec > last->tv_sec ||
	    (now.tv_sec == last->tv_sec && now.tv_nsec > last->tv_nsec)) {
		*last = now;
		return;
	}
	last->tv_nsec += MICROSECOND;
	if (last->tv_nsec >= SECOND) {
		last->tv_nsec -= SECOND;
		last->tv_sec++;
	}
}

int
rotate_aside(struct rotation *rotation, const char *path)
{
	int result = -1;

	errno = EEXIST;
	for (int i = 0; i < TRIES && result == -1 && errno == EEXIST; i++) {
		char stamp[STAMP_SIZE];
		struct tm tm;
		char *name;

		next_time(&rotation->last);
		gmtime_r(&rotation->last.tv_sec, &tm);
		strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm);
		if (asprintf(&name, "%s.%s.%06ldZ", path, stamp,
			rotation->last.tv_nsec / MICROSECOND) == -1)
			return -1;
		result = move(path, name);
		free(name);
	}
	return result;
}

int64_t
rotate_age_ms(const char *path)
{
	struct statx st;
	int64_t age;

	if (statx(AT_FDCWD, path, 0, STATX_BTIME, &st) == -1 || !(st.stx_mask & STATX_BTIME))
		return 0;
	age = (int64_t)(time(NULL) - st.stx_btime.tv_sec);
	return age > 0 ? age * 1000 : 0;
}
