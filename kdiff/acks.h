/* SPDX-License-Identifier: Apache-2.0 */
/* What the bus has accepted, as kpublish tells: one decimal seq a line, cumulative. kollect(5),
 * "Acknowledgements". */
#ifndef ACKS_H
#define ACKS_H

#include <stddef.h>
#include <stdint.h>

#include "log.h"

enum { ACK_LINE_MAX = 32 };

struct acks {
	int fd;         /* -1: nobody acknowledges */
	uint64_t acked; /* the highest seq so far */
	size_t len;     /* of a line not yet complete */
	char line[ACK_LINE_MAX];
	const struct log *log;
};

/* Takes fd (-1 for none), which is made non-blocking. acked: what was acknowledged before. 0, or
 * -1 with a message. */
int acks_init(struct acks *acks, const struct log *log, int fd, uint64_t acked);

/* Takes what is there; does not block. last: the last seq that has been handed on. A line that is
 * no number, one that goes back and one beyond last are named and passed over. At the end of
 * input, or on an error, fd becomes -1. */
void acks_read(struct acks *acks, uint64_t last);

#endif
