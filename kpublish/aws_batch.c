/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_batch.h"

enum {
	BODY_MAX = 16 * 1024 * 1024, /* more than ten messages are, however they are escaped */
	BODY_KEEP = 128 * 1024,
};

void
aws_batch_init(struct aws_batch *b)
{
	*b = (struct aws_batch){.n = 0};
	buf_init(&b->body, BODY_MAX);
}

void
aws_batch_free(struct aws_batch *b)
{
	buf_free(&b->body);
}

bool
aws_batch_is_full(const struct aws_batch *b)
{
	return b->n == AWS_BATCH_MAX || (b->n > 0 && b->messages[0]->tag == AWS_TAG_ALONE);
}

bool
aws_batch_has_room(
    const struct aws_batch *b, const struct message *m, size_t size, size_t request_max)
{
	return b->n == 0 || (!aws_batch_is_full(b) && m->tag != AWS_TAG_ALONE &&
				b->size + size <= request_max);
}

int
aws_batch_add(struct aws_batch *b, const struct aws_service *service,
    const struct aws_target *target, struct message *m, size_t size)
{
	size_t len = b->body.len;

	if ((b->n == 0 && service->begin(&b->body, target) != 0) ||
	    service->add(&b->body, target, b->n, m) != 0) {
		b->body.len = len;
		return -1;
	}
	b->messages[b->n++] = m;
	b->size += size;
	return 0;
}

size_t
aws_batch_take(struct aws_batch *b, struct message *messages[AWS_BATCH_MAX])
{
	size_t n = b->n;

	for (size_t i = 0; i < n; i++)
		messages[i] = b->messages[i];
	b->n = b->size = 0;
	b->body.len = 0;
	buf_shrink(&b->body, BODY_KEEP);
	return n;
}
