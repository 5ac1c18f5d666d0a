/* SPDX-License-Identifier: Apache-2.0 */
/* All requests to the API server at once: libcurl's multi interface on one epoll loop, HTTP/2
 * multiplexed over TLS. One thread; nothing is called back but from http_run. */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster.h"
#include "log.h"

struct http;
struct transfer;

/* How a request ended. Borrowed for the call of done. */
struct http_answer {
	long status;       /* the HTTP status; 0: no answer came */
	bool complete;     /* the body came to its regular end */
	bool reached;      /* the server was spoken to at all */
	const char *error; /* what went wrong if not complete */
	const char *body;  /* of a status other than 200, NUL-terminated and cut at 64 KiB */
	size_t len;
	int64_t retry_ms; /* Retry-After, or 0 */
};

struct http_handler {
	/* More of a 200's body. -1 ends the request: done is called with complete false. Must
	 * not start or cancel requests. */
	int (*body)(void *arg, const char *bytes, size_t n);
	/* The end, once for each request that was not cancelled. May start and cancel requests.
	 */
	void (*done)(void *arg, const struct http_answer *answer);
};

/* What is normal for a request. */
enum http_kind {
	HTTP_ANSWER, /* is answered at once: a minute without a byte is an error */
	HTTP_WATCH,  /* may be silent for long */
};

/* stop_fd: its becoming readable ends a wait. out_fd: so does the loss of its reader, so that a
 * filter that has nothing to write still ends with its pipeline. NULL with a message. */
struct http *http_open(struct cluster *cluster, int stop_fd, int out_fd, const struct log *log);
/* From now on fd's becoming readable, or its end, ends a wait too; -1: no longer. */
void http_wake_on(struct http *http, int fd);
/* Has out_fd lost its reader? */
bool http_out_closed(const struct http *http);
/* Ends all requests without calling anything back. */
void http_close(struct http *http);

/* Begins GET of path (with its query) on the cluster's server. accept: the Accept header's
 * value. handler is borrowed until the end. NULL: out of memory; nothing is called back. */
struct transfer *http_get(struct http *http, const char *path, const char *accept,
    enum http_kind kind, const struct http_handler *handler, void *arg);
/* Ends a request without calling anything back. NULL is nothing. Not from body. */
void http_cancel(struct http *http, struct transfer *transfer);

/* Handles all that has come in; if there is nothing yet, calls idle and waits up to timeout_ms.
 * 0; -1 with a message when the system fails. */
int http_run(struct http *http, int timeout_ms, void (*idle)(void *arg), void *arg);

/* "Forbidden" and so on. */
const char *http_reason(long status);

#endif
