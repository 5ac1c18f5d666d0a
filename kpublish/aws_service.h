/* SPDX-License-Identifier: Apache-2.0 */
/* What SQS and SNS differ in: the bytes of a request and of its answer. */
#ifndef AWS_SERVICE_H
#define AWS_SERVICE_H

#include "aws_answer.h"
#include "buf.h"
#include "message.h"

/* Where messages go. */
struct aws_target {
	const char *name; /* the queue's URL, the topic's ARN: printable, without quotes */
	bool fifo;        /* it keeps the order of a group, and drops copies */
};

struct aws_service {
	const char *name; /* in host names and signatures */

	/* Bytes of a message with its attributes, and of all those of a request, unless the
	 * queue or topic has a limit of its own. */
	size_t message_max;
	size_t request_max;
	bool one_limit; /* that one is for a request too */

	/* NAME: VALUE each, up to a NULL. */
	const char *const *ask_headers;
	const char *const *send_headers;

	/* Each appends to a request's body; 0, or -1: out of memory. */
	int (*ask)(struct buf *to, const struct aws_target *target); /* for the limit */
	int (*begin)(struct buf *to, const struct aws_target *target);
	int (*add)(struct buf *to, const struct aws_target *target, size_t place,
	    const struct message *m);
	int (*end)(struct buf *to);

	/* The limit of a message that was asked for; 0: it is not said. */
	size_t (*read_limit)(const char *text, size_t len);
	/* The results that are said; 0, or -1: it is no answer of the service. */
	int (*read_results)(
	    const char *text, size_t len, struct aws_result results[AWS_BATCH_MAX]);
	/* Of a request that failed; what is no error leaves it empty. */
	void (*read_error)(const char *text, size_t len, struct aws_error *error);
};

extern const struct aws_service aws_sqs;
extern const struct aws_service aws_sns;

/* A message's bytes as both count them: the body in base64, and name, type and value of each
 * attribute. 0, or -1: out of memory. */
int aws_service_size(const struct message *m, size_t *size);

#endif
