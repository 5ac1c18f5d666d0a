/* SPDX-License-Identifier: Apache-2.0 */
/* The access token that goes with each request: fetched, kept, and fetched again before it
 * expires or when it was refused. Does not block. */
#ifndef GCP_TOKEN_H
#define GCP_TOKEN_H

#include "bus.h"
#include "gcp_credentials.h"
#include "requests.h"

struct gcp_token;

/* path: the credentials file, which is read again for each token (keys are replaced); NULL: the
 * metadata server. Takes *c, what the file says now. All else is borrowed until close. NULL: out
 * of memory, with a message, and *c is not taken. */
struct gcp_token *gcp_token_open(const char *path, struct gcp_credentials *c,
    struct requests *requests, const struct bus_owner *owner);
/* Takes NULL. */
void gcp_token_close(struct gcp_token *token);

/* The headers of a request, up to a NULL, borrowed until work or refused; NULL: there is no
 * token now. *number: which one it is. */
const char *const *gcp_token_headers(const struct gcp_token *token, uint64_t *number);

/* A request with this one was accepted. */
void gcp_token_good(struct gcp_token *token, uint64_t number);
/* Or not (401), why: for people. Another is fetched: at once when this one had been good, else
 * after a while. */
void gcp_token_refused(struct gcp_token *token, uint64_t number, const char *why);

/* Begins to fetch one when it is time; milliseconds until it is, -1: until requests_run has
 * called back. */
void gcp_token_work(struct gcp_token *token);
int gcp_token_timeout_ms(const struct gcp_token *token);

#endif
