/* SPDX-License-Identifier: Apache-2.0 */
#include "store_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int
lock(struct store_dir *d, const struct log *log, const char *path)
{
	d->lock_fd = openat(d->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (d->lock_fd == -1) {
		log_error(log, "%s/lock: cannot write in the state directory: %s", path,
		    strerror(errno));
		return -1;
	}
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) == -1) {
		log_error(log, "%s: another kdiff uses this state directory", path);
		return -1;
	}
	return 0;
}

int
store_dir_open(struct store_dir *d, const struct log *log, const char *path, bool make)
{
	d->lock_fd = -1;
	if (make && mkdir(path, 0700) == -1 && errno != EEXIST) {
		log_error(
		    log, "%s: cannot make the state directory: %s", path, strerror(errno));
		d->fd = -1;
		return -1;
	}
	d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd == -1) {
		log_error(
		    log, "%s: cannot open the state directory: %s", path, strerror(errno));
		return -1;
	}
	return lock(d, log, path);
}

void
store_dir_close(struct store_dir *d)
{
	if (d->fd != -1)
		(void)close(d->fd);
	if (d->lock_fd != -1)
		(void)close(d->lock_fd);
	d->fd = d->lock_fd = -1;
}

bool
store_dir_has(const struct store_dir *d, const char *name)
{
	return faccessat(d->fd, name, F_OK, 0) == 0;
}

bool
store_dir_read(const struct store_dir *d, const char *name, char text[STORE_DIR_TEXT])
{
	int fd = openat(d->fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return false;
	n = read(fd, text, STORE_DIR_TEXT);
	(void)close(fd);
	if (n < 0 || n >= STORE_DIR_TEXT)
		return false;
	text[n] = '\0';
	return true;
}

/* All of text, and on the disk. */
static int
fill(int fd, const char *text)
{
	size_t len = strlen(text);
	ssize_t n = write(fd, text, len);

	if (n != (ssize_t)len) {
		if (n >= 0)
			errno = ENOSPC;
		return -1;
	}
	return fdatasync(fd);
}

int
store_dir_write(const struct store_dir *d, const char *name, const char *text)
{
	static const char part[] = "new";
	int fd = openat(d->fd, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int saved;

	if (fd == -1)
		return -1;
	if (fill(fd, text) == -1) {
		saved = errno;
		(void)close(fd);
		(void)unlinkat(d->fd, part, 0);
		errno = saved;
		return -1;
	}
	(void)close(fd);
	return renameat(d->fd, part, d->fd, name) == -1 ? -1 : store_dir_sync(d);
}

int
store_dir_remove(const struct store_dir *d, const char *name)
{
	if (unlinkat(d->fd, name, 0) == -1)
		return errno == ENOENT ? 0 : -1;
	return store_dir_sync(d);
}

int
store_dir_sync(const struct store_dir *d)
{
	return fsync(d->fd);
}

int
store_dir_set_aside(const struct store_dir *d, char name[STORE_DIR_TEXT])
{
	char when[20];
	time_t now = time(NULL);
	struct tm tm;

	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	snprintf(name, STORE_DIR_TEXT, "store.mdb.damaged-%s", when);
	for (int i = 2; store_dir_has(d, name); i++)
		snprintf(name, STORE_DIR_TEXT, "store.mdb.damaged-%s-%d", when, i);
	if (renameat(d->fd, "store.mdb", d->fd, name) == -1)
		return -1;
	return store_dir_sync(d);
}
