/* SPDX-License-Identifier: Apache-2.0 */
#include "acks.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

int
acks_init(struct acks *a, const struct log *log, int fd, uint64_t acked)
{
	int flags;

	*a = (struct acks){.fd = fd, .acked = acked, .log = log};
	if (fd == -1)
		return 0;
	flags = fcntl(fd, F_GETFL);
	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1) {
		log_error(log, "--ack-fd: descriptor %d: %s", fd, strerror(errno));
		return -1;
	}
	return 0;
}

static void
take_line(struct acks *a, uint64_t last)
{
	uint64_t seq = 0;
	size_t i;

	for (i = 0; i < a->len && a->line[i] >= '0' && a->line[i] <= '9'; i++)
		seq = seq * 10 + (uint64_t)(a->line[i] - '0');
	if (a->len == 0 || a->len > 19 || i < a->len)
		log_warning(a->log, "acknowledgement \"%.*s\" is no sequence number",
		    (int)a->len, a->line);
	else if (seq < a->acked)
		log_warning(a->log, "acknowledgement %" PRIu64 " goes back behind %" PRIu64,
		    seq, a->acked);
	else if (seq > last)
		log_warning(a->log,
		    "acknowledgement %" PRIu64 " is ahead of the last record, %" PRIu64, seq,
		    last);
	else
		a->acked = seq;
	a->len = 0;
}

void
acks_read(struct acks *a, uint64_t last)
{
	char bytes[4096];
	ssize_t n;

	while (a->fd != -1) {
		n = read(a->fd, bytes, sizeof(bytes));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			return;
		if (n <= 0) {
			if (n == -1)
				log_warning(a->log, "cannot read acknowledgements: %s",
				    strerror(errno));
			a->fd = -1;
			return;
		}
		for (ssize_t i = 0; i < n; i++) {
			if (bytes[i] == '\n')
				take_line(a, last);
			else if (a->len < sizeof(a->line))
				a->line[a->len++] = bytes[i];
		}
	}
}
