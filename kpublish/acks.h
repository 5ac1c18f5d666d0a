/* SPDX-License-Identifier: Apache-2.0 */
/* Tells on a descriptor up to which seq everything is durably accepted (DESIGN 1.5): one
 * decimal number a line. Cumulative, so only the newest has to be told. */
#ifndef ACKS_H
#define ACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "log.h"

struct acks {
	int fd; /* -1: nobody wants to know, or the reader has gone */
	uint64_t reached;
	uint64_t told;
	const struct log *log;
};

/* fd: -1 or borrowed. -1 with a message when it cannot be written to. */
int acks_init(struct acks *a, int fd, const struct log *log);

/* Tells as far as it can without blocking. */
void acks_tell(struct acks *a, uint64_t reached);

/* Is there something untold? Then call acks_tell when fd is writable. */
bool acks_pending(const struct acks *a);

#endif
