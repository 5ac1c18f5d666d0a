/* SPDX-License-Identifier: Apache-2.0 */
#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

enum { PIPE_BYTES = 1024 * 1024 };

void
out_init(struct out *out, int fd)
{
	out->fd = fd;
	out->written = 0;
	buf_init(&out->pending, 2 * (size_t)OUT_BATCH);
	/* Fails on what is no pipe, and over the user's pipe quota: it is a wish only. */
	(void)fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
}

void
out_free(struct out *out)
{
	buf_free(&out->pending);
}

int
out_write_all(int fd, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done >= 0) {
			p += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN) {
			struct pollfd wait = {.fd = fd, .events = POLLOUT};

			if (poll(&wait, 1, -1) == -1 && errno != EINTR)
				return -1;
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

int
out_flush(struct out *out)
{
	size_t n = out->pending.len;

	if (n == 0)
		return 0;
	if (out_write_all(out->fd, out->pending.data, n) == -1)
		return -1;
	out->written += n;
	out->pending.len = 0;
	return 0;
}

int
out_add(struct out *out, const void *bytes, size_t n)
{
	if (out->pending.len + n > OUT_BATCH && out_flush(out) == -1)
		return -1;
	if (n >= OUT_BATCH) { /* large enough to go as it is: saves the copy */
		if (out_write_all(out->fd, bytes, n) == -1)
			return -1;
		out->written += n;
		return 0;
	}
	return buf_add(&out->pending, bytes, n);
}
