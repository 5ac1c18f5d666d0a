/* SPDX-License-Identifier: Apache-2.0 */
/* How a token is come by, request by request: each kind of credentials has its own. It sends
 * nothing itself.
 *
 *	service account    a JWT that it signs is exchanged at token_uri; in a universe other
 *			   than googleapis.com the JWT is the token
 *	authorized user    the refresh token is exchanged at token_uri (RFC 6749, 6)
 *	external account   a subject token is read from a file or fetched by URL, exchanged at
 *			   the STS (RFC 8693), and what that gives, where a service account is
 *			   to be impersonated, at the IAM credentials API
 *	metadata server    is asked
 */
#ifndef GCP_GRANT_H
#define GCP_GRANT_H

#include "gcp_credentials.h"
#include "requests.h"

enum { GCP_GRANT_WHY = 400 };

enum gcp_step { GCP_STEP_FIRST, GCP_STEP_SUBJECT, GCP_STEP_EXCHANGE, GCP_STEP_IMPERSONATE };

/* Zeroed: nothing has been asked yet. */
struct gcp_grant {
	enum gcp_step step; /* what was asked last */
	char *subject;
	char *token;         /* at last: the access token */
	int64_t lifetime_ms; /* and for how long it is good */

	/* of the request that is under way */
	char *url;
	char *body;
	char *headers[GCP_HEADERS_MAX + 1];
};

/* Zeroes what is secret, too; the grant begins anew. */
void gcp_grant_free(struct gcp_grant *grant);

enum gcp_grant_next {
	GCP_GRANT_ASK,    /* send this, and give the answer to gcp_grant_take */
	GCP_GRANT_DONE,   /* token and lifetime_ms are there */
	GCP_GRANT_FAILED, /* why says it */
};

/* What *ask holds is the grant's, until the next call. */
enum gcp_grant_next gcp_grant_next(struct gcp_grant *grant, const struct gcp_credentials *c,
    struct ask *ask, char *why, size_t size);

/* 0; -1 with why, which names the host. */
int gcp_grant_take(struct gcp_grant *grant, const struct gcp_credentials *c,
    const struct answer *answer, char *why, size_t size);

#endif
