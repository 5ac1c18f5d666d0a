/* SPDX-License-Identifier: Apache-2.0 */
#include "acks.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
acks_init(struct acks *a, int fd, const struct log *log)
{
	int flags;

	*a = (struct acks){.fd = fd, .log = log};
	if (fd == -1)
		return 0;
	flags = fcntl(fd, F_GETFL);
	if (flags == -1 || (flags & O_ACCMODE) == O_RDONLY) {
		log_error(log, "--ack-fd %d: is not open for writing", fd);
		return -1;
	}
	return 0;
}

bool
acks_pending(const struct acks *a)
{
	return a->fd != -1 && a->reached != a->told;
}

void
acks_tell(struct acks *a, uint64_t reached)
{
	struct pollfd ready = {.fd = a->fd, .events = POLLOUT};
	char line[24];
	int len;
	ssize_t n;

	a->reached = reached;
	/* A pipe that polls as writable has room for PIPE_BUF bytes, so the line goes whole;
	 * the descriptor is not made non-blocking, as it may be another process's too. */
	if (!acks_pending(a) || poll(&ready, 1, 0) != 1)
		return;
	len = snprintf(line, sizeof(line), "%" PRIu64 "\n", reached);
	n = write(a->fd, line, (size_t)len);
	if (n == len) {
		a->told = reached;
	} else if (n != -1 || (errno != EAGAIN && errno != EINTR)) {
		log_warning(a->log, "--ack-fd %d: no longer told: %s", a->fd,
		    n == -1 ? strerror(errno) : "short write");
		a->fd = -1;
	}
}
