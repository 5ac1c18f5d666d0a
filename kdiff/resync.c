/* SPDX-License-Identifier: Apache-2.0 */
#include "resync.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const size_t pending_max = (size_t)4 << 20;

int
resync_init(struct resync *r, const struct log *log, int fd)
{
	int flags;

	*r = (struct resync){.fd = fd, .log = log};
	buf_init(&r->pending, pending_max);
	if (fd == -1)
		return 0;
	flags = fcntl(fd, F_GETFL);
	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1) {
		log_error(log, "--resync-fd: descriptor %d: %s", fd, strerror(errno));
		return -1;
	}
	return 0;
}

void
resync_free(struct resync *r)
{
	buf_free(&r->pending);
}

bool
resync_ask(struct resync *r, struct bytes path)
{
	size_t before = r->pending.len;

	if (r->fd == -1)
		return false;
	/* With no room for it, the next audit asks again. */
	if (buf_add(&r->pending, path.p, path.len) == -1 || buf_add(&r->pending, "\n", 1) == -1)
		r->pending.len = before;
	resync_push(r);
	return r->fd != -1;
}

void
resync_push(struct resync *r)
{
	ssize_t n;

	while (r->fd != -1 && r->pending.len > 0) {
		n = write(r->fd, r->pending.data, r->pending.len);
		if (n >= 0) {
			buf_consume(&r->pending, (size_t)n);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno != EINTR) {
			log_warning(r->log, "cannot ask for a snapshot: %s", strerror(errno));
			r->fd = -1;
		}
	}
}
