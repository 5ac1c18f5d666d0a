/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of one request and its body, which grows as they are added. */
#ifndef AWS_BATCH_H
#define AWS_BATCH_H

#include <stdbool.h>

#include "aws_service.h"

/* A message's tag: it goes alone, as it was refused among others. */
enum { AWS_TAG_ALONE = 1 };

struct aws_batch {
	struct buf body;
	struct message *messages[AWS_BATCH_MAX]; /* borrowed */
	size_t n;
	size_t size; /* of the messages, as the service counts */
};

void aws_batch_init(struct aws_batch *batch);
void aws_batch_free(struct aws_batch *batch);

/* Is there room for a message of that size? request_max: of all. An empty one takes any. */
bool aws_batch_has_room(
    const struct aws_batch *batch, const struct message *m, size_t size, size_t request_max);
/* No more fits in. */
bool aws_batch_is_full(const struct aws_batch *batch);

/* 0, or -1: out of memory, and nothing has changed. */
int aws_batch_add(struct aws_batch *batch, const struct aws_service *service,
    const struct aws_target *target, struct message *m, size_t size);

/* Takes the messages out, and returns how many; it is empty then. */
size_t aws_batch_take(struct aws_batch *batch, struct message *messages[AWS_BATCH_MAX]);

#endif
