/* SPDX-License-Identifier: Apache-2.0 */
/* What SQS, SNS and STS answer, and what is to be done about it. */
#ifndef AWS_ANSWER_H
#define AWS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

enum { AWS_BATCH_MAX = 10 }; /* messages in a request */

struct aws_error {
	char code[64];  /* as the service names it, without namespace; "" when it does not */
	char text[256]; /* for people, after aws_answer_censor; cut short */
	bool sender_fault;
};

enum aws_remedy {
	AWS_SLOW_DOWN, /* the service, or its key store, is asked too much */
	AWS_RENEW,     /* the keys are not, or no longer, good */
	AWS_SPLIT,     /* the messages of the request are too large together */
	AWS_SHRINK,    /* a message is too large */
	AWS_REJECT,    /* a message is wrong in itself */
	AWS_RETRY,     /* anything else: it passes, or somebody mends it */
};

/* What the error of a request, or of a message in it, calls for; status: HTTP's, of the
 * request. */
enum aws_remedy aws_answer_remedy(const struct aws_error *error, long status);

/* We are known, and not allowed to do that. */
bool aws_answer_denied(const struct aws_error *error);

/* Makes the text fit for people: where it may hold what was signed, other words take its
 * place, and where the clock is the cause it says so. */
void aws_answer_censor(struct aws_error *error);

/* Reads the error that SNS or STS answers with, and whoever stands in front of SQS; what is
 * none leaves it empty. */
void aws_answer_error_xml(const char *text, size_t len, struct aws_error *error);

/* What became of a message of a request. */
enum aws_state {
	AWS_UNKNOWN, /* the answer does not say */
	AWS_SENT,
	AWS_FAILED,
};

struct aws_result {
	enum aws_state state;
	struct aws_error error; /* when failed */
};

/* An entry of an answer, as it is read, and its end: the result goes to its place, which the
 * entry's Id is. An Id that is no place is passed over. */
struct aws_entry {
	char id[4];
	struct aws_error error;
};
void aws_answer_entry(struct aws_result results[AWS_BATCH_MAX], const struct aws_entry *entry,
    enum aws_state state);

#endif
