/* SPDX-License-Identifier: Apache-2.0 */
#include "framefile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "frames.h"

enum { BATCH = 512 }; /* frames in one writev; two pieces each, IOV_MAX is 1024 */

struct framefile {
	int fd;
	bool owned;
	bool regular;
	off_t size;      /* of a regular file: all of it whole frames on the disk */
	bool torn;       /* what stands behind them is to be cut off yet */
	size_t gathered; /* bytes */
	size_t n;
	uint8_t headers[BATCH][FRAME_HEADER_MAX];
	struct iovec pieces[2 * BATCH];
};

struct framefile *
framefile_wrap(int fd)
{
	struct framefile *f = calloc(1, sizeof(*f));

	if (f != NULL)
		f->fd = fd;
	return f;
}

/* Could a frame begin with these bytes? An Envelope's first field is its id, and a file of
 * something else is not to be cut. */
static int
begins_frame(const uint8_t *p, size_t got, uint64_t *len)
{
	enum { ID_TAG = 0x0a };
	int n = frame_varint(p, got, len);

	if (n > 0 && (*len == 0 || *len > INPUT_MAX || ((size_t)n < got && p[n] != ID_TAG)))
		return -1;
	return n;
}

/* Steps from frame to frame to the last whole one. -1 with what is wrong in why. */
static int
check_frames(struct framefile *f, off_t end, char *why)
{
	uint8_t header[FRAME_HEADER_MAX];
	uint64_t len;

	while (f->size < end) {
		ssize_t got = pread(f->fd, header, sizeof(header), f->size);
		int n;

		if (got <= 0) {
			snprintf(why, FRAMEFILE_WHY, "cannot read: %s",
			    got == 0 ? "it has been cut" : strerror(errno));
			return -1;
		}
		n = begins_frame(header, (size_t)got, &len);
		if (n == -1) {
			snprintf(why, FRAMEFILE_WHY,
			    "is no file of frames: none begins at byte %jd", (intmax_t)f->size);
			return -1;
		}
		if (n == 0 || (uint64_t)(end - f->size) < (uint64_t)n + len)
			break;
		f->size += n + (off_t)len;
	}
	return 0;
}

/* Makes the file's name, which may be new or another's before, last through a power failure. -1
 * with errno. A folder that we may not read, or that cannot be synced, has to do as it is. */
static int
sync_folder(const char *path)
{
	char *real = realpath(path, NULL);
	int fd = real != NULL ? open(dirname(real), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int result = 0;

	if (fd == -1 ? errno != EACCES : fsync(fd) == -1 && errno != EINVAL)
		result = -1;
	if (fd != -1)
		close(fd);
	free(real);
	return result;
}

/* Another that appends to it would have its frames cut off, when a write of ours fails or when
 * they are not whole yet. A file system without locks has to do as it is. */
static int
lock(const struct framefile *f, char *why)
{
	if (flock(f->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return 0;
	snprintf(why, FRAMEFILE_WHY, "another kpublish appends to it");
	return -1;
}

static int
check_regular(struct framefile *f, const char *path, const struct log *log, char *why)
{
	off_t end;

	if (lock(f, why) == -1)
		return -1;
	end = lseek(f->fd, 0, SEEK_END);
	if (check_frames(f, end, why) == -1)
		return -1;
	if (f->size < end) {
		log_warning(log, "%s: cutting off a piece of a frame at its end, %jd bytes",
		    path, (intmax_t)(end - f->size));
		if (ftruncate(f->fd, f->size) == -1) {
			snprintf(why, FRAMEFILE_WHY, "cannot truncate: %s", strerror(errno));
			return -1;
		}
	}
	if (sync_folder(path) == -1) {
		snprintf(why, FRAMEFILE_WHY, "cannot sync its folder: %s", strerror(errno));
		return -1;
	}
	return 0;
}

struct framefile *
framefile_open(const char *path, const struct log *log, char why[FRAMEFILE_WHY])
{
	struct framefile *f = framefile_wrap(-1);
	struct stat st;

	snprintf(why, FRAMEFILE_WHY, "out of memory");
	if (f == NULL)
		return NULL;
	f->owned = true;
	f->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (f->fd == -1 && errno == ENXIO) /* a socket or a FIFO that has no reader */
		f->fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (f->fd == -1 || fstat(f->fd, &st) == -1) {
		snprintf(why, FRAMEFILE_WHY, "%s", strerror(errno));
		framefile_close(f);
		return NULL;
	}
	f->regular = S_ISREG(st.st_mode);
	if (f->regular && check_regular(f, path, log, why) == -1) {
		framefile_close(f);
		return NULL;
	}
	return f;
}

void
framefile_close(struct framefile *f)
{
	if (f == NULL)
		return;
	if (f->owned && f->fd != -1)
		close(f->fd);
	free(f);
}

bool
framefile_add(struct framefile *f, const uint8_t *body, size_t len)
{
	struct iovec *piece = &f->pieces[2 * f->n];

	if (f->n == BATCH)
		return false;
	piece[0].iov_base = f->headers[f->n];
	piece[0].iov_len = frame_header(len, f->headers[f->n]);
	memcpy(&piece[1].iov_base, &body, sizeof(body)); /* a const cast: writev only reads */
	piece[1].iov_len = len;
	f->gathered += piece[0].iov_len + len;
	f->n++;
	return true;
}

/* writev until all is written. -1 with errno; *written: how many bytes were. */
static int
write_pieces(struct framefile *f, off_t *written)
{
	struct iovec *piece = f->pieces;
	struct iovec *end = piece + 2 * f->n;

	while (piece < end) {
		ssize_t n = writev(f->fd, piece, (int)(end - piece));

		if (n == -1 && errno == EAGAIN) {
			struct pollfd wait = {.fd = f->fd, .events = POLLOUT};

			poll(&wait, 1, -1);
			continue;
		}
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		*written += n;
		for (; piece < end && (size_t)n >= piece->iov_len; piece++)
			n -= (ssize_t)piece->iov_len;
		if (piece < end) {
			piece->iov_base = (char *)piece->iov_base + n;
			piece->iov_len -= (size_t)n;
		}
	}
	return 0;
}

/* Where a regular file ends: others may have cut it (logrotate's copytruncate). Nothing is
 * written behind a piece of a frame. */
static int
find_end(struct framefile *f)
{
	struct stat st;

	if (fstat(f->fd, &st) == -1)
		return -1;
	if (!f->torn || st.st_size <= f->size)
		f->size = st.st_size;
	else if (ftruncate(f->fd, f->size) == -1)
		return -1;
	f->torn = false;
	return 0;
}

static int
write_regular(struct framefile *f)
{
	off_t written = 0;
	int saved;

	if (find_end(f) == -1)
		return -1;
	if (write_pieces(f, &written) == 0 && fdatasync(f->fd) == 0) {
		f->size += written;
		return 0;
	}
	saved = errno;
	f->torn = ftruncate(f->fd, f->size) == -1;
	errno = saved;
	return -1;
}

int
framefile_flush(struct framefile *f)
{
	off_t written = 0;
	int result = 0;

	if (f->n > 0 || f->torn)
		result = f->regular ? write_regular(f) : write_pieces(f, &written);
	f->n = 0;
	f->gathered = 0;
	return result;
}

bool
framefile_regular(const struct framefile *f)
{
	return f->regular;
}

uint64_t
framefile_size(const struct framefile *f)
{
	return (uint64_t)f->size + f->gathered;
}

bool
framefile_is_at(const struct framefile *f, const char *path)
{
	struct stat here;
	struct stat there;

	return fstat(f->fd, &here) == 0 && stat(path, &there) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

int
framefile_follow(
    struct framefile **f, const char *path, const struct log *log, char why[FRAMEFILE_WHY])
{
	if (*f != NULL && framefile_is_at(*f, path))
		return 0;
	framefile_close(*f);
	*f = framefile_open(path, log, why);
	return *f == NULL ? -1 : 0;
}
