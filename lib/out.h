/* SPDX-License-Identifier: Apache-2.0 */
/* Batched writing to a file descriptor: large writes, whole ones, and one answer to errors. */
#ifndef OUT_H
#define OUT_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

enum { OUT_BATCH = 256 * 1024 }; /* bytes gathered before a write */

struct out {
	int fd;
	struct buf pending;
	uint64_t written; /* bytes handed to the descriptor since it was opened */
};

/* Wraps fd (borrowed, blocking). A pipe is widened to 1 MiB where that is allowed: two to
 * three times the throughput between CPUs. */
void out_init(struct out *out, int fd);
void out_free(struct out *out);

/* Appends n bytes; writes when a batch is full (blocks while the reader is slow).
 * 0, or -1 with errno: EPIPE means that the reader has gone, which ends a filter quietly. */
int out_add(struct out *out, const void *bytes, size_t n);
/* Writes all that is pending. 0 or -1 as out_add. */
int out_flush(struct out *out);

/* All n bytes to fd through EINTR, short writes and EAGAIN (waits). 0, or -1 with errno. */
int out_write_all(int fd, const void *bytes, size_t n);

#endif
