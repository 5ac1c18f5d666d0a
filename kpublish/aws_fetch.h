/* SPDX-License-Identifier: Apache-2.0 */
/* One try to get keys from where the environment says, in the order of Amazon's SDKs:
 *
 *	AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *	AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN (of a service account in EKS): aws_sts.c
 *	a profile in the shared files: aws_profile.c
 *	AWS_CONTAINER_CREDENTIALS_FULL_URI (EKS pod identity) or _RELATIVE_URI: aws_container.c
 *	the instance's metadata: aws_instance.c
 *
 * Of the first that is there; should it fail, no other is asked. */
#ifndef AWS_FETCH_H
#define AWS_FETCH_H

#include <stdbool.h>

#include "aws_keys.h"
#include "buf.h"
#include "log.h"
#include "requests.h"

/* keys: the caller's now; NULL: none, and why says what is wrong (borrowed). */
typedef void aws_fetched_fn(void *arg, struct aws_keys *keys, const char *why);

struct aws_fetch {
	struct requests *requests;
	const char *region;
	aws_fetched_fn *done;
	void *arg;

	/* While it is under way. */
	bool busy;
	struct request *request;
	struct buf url;   /* of the request that is under way */
	struct buf body;  /* its body */
	struct buf token; /* the header that lets us ask instance metadata */
};

/* All is borrowed. 0; -1: the environment is wrong, with a message. */
int aws_fetch_init(struct aws_fetch *fetch, struct requests *requests, const char *region,
    aws_fetched_fn *done, void *arg, const struct log *log);
/* Calls done, maybe before it returns. */
void aws_fetch_start(struct aws_fetch *fetch);
/* Ends it without calling done. Takes one that is all zero. */
void aws_fetch_stop(struct aws_fetch *fetch);

/* For those that fetch. */

/* Asks; on_answer gets the fetch as its argument. */
void aws_fetch_ask(struct aws_fetch *fetch, const struct ask *ask, request_done_fn *on_answer);
/* The end: keys were got (taken), or not. */
void aws_fetch_got(struct aws_fetch *fetch, struct aws_keys *keys);
void aws_fetch_failed(struct aws_fetch *fetch, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Of the answer as JSON: the end, one way or the other. where: for people. */
void aws_fetch_json(struct aws_fetch *fetch, const struct answer *answer, const char *where);

/* A file's contents without the blanks around them, which the caller frees; NULL with errno. */
char *aws_fetch_file(const char *path);

#endif
