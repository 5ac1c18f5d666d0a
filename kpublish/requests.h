/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP requests of the buses that speak it, and of those that fetch their credentials: many at
 * once, in the one thread, on one descriptor. Connections are kept and used again. */
#ifndef REQUESTS_H
#define REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"

struct requests;
struct request;

/* How a request ended. Borrowed for the call of done. */
struct answer {
	long
	    status; /* the HTTP status; 0: no answer came, or not all of one whose body counts */
	const char
	    *error; /* what went wrong when status is 0: may not name the host; no secret */
	const char *body; /* ends in a NUL; cut at 1 MiB */
	size_t len;
	int64_t retry_after_ms; /* Retry-After, or 0 */
};

/* May start and cancel requests. */
typedef void request_done_fn(void *arg, const struct answer *answer);

/* What to ask. All is copied but for the body, which is borrowed until done. */
struct ask {
	const char *url;
	const char *const *headers; /* NAME: VALUE each, up to a NULL; NULL: none. In a signed
				    * one no Expect: libcurl 7.88 signs it, then drops it */
	const char *body;           /* NULL: GET, else POST */
	size_t len;
	const char *method;   /* NULL: as the body has it */
	const char *sigv4;    /* aws:amz:REGION:SERVICE: signed so; NULL: not */
	const char *user;     /* for sigv4: the access key and the secret */
	const char *password; /* "" or NULL: none */
	bool direct;          /* past any proxy: a server of this machine's own */
	int timeout_ms;       /* for the whole */
};

/* ca_file: certificates to trust in place of the system's; NULL: the system's.
 * max_connections: to one host. NULL with a message. */
struct requests *requests_open(
    const struct log *log, const char *ca_file, long max_connections);
/* Ends all without calling anything back. Takes NULL. */
void requests_close(struct requests *rs);

/* NULL: out of memory, and nothing is called back. Else done is called once from requests_run,
 * unless the request is cancelled before. */
struct request *requests_start(
    struct requests *rs, const struct ask *ask, request_done_fn *done, void *arg);
/* Takes NULL. */
void requests_cancel(struct request *request);

/* As bus.h has it: readable when requests_run has something to do; the milliseconds until it
 * has something to do even so, or -1. */
int requests_fd(const struct requests *rs);
int requests_timeout_ms(const struct requests *rs);

/* Does what there is to do now. 0; -1 with a message when the system fails. */
int requests_run(struct requests *rs);

#endif
