/* SPDX-License-Identifier: Apache-2.0 */
#include "gcp_token.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "core.h"
#include "file.h"
#include "gcp_grant.h"
#include "gcp_json.h"
#include "text.h"

enum {
	FETCH_MS = 20000,
	BASE_MS = 500,
	MAX_MS = 30000,
	/* So long before it expires a token is replaced: as Google's libraries do; of one that
	 * is given for a shorter time, a quarter of it. */
	EARLY_MS = 225000,
	EARLY_SHARE = 4,
	HEADERS = 3,
};

/* Who has no credentials at all is to know where they would have been. */
static const char without_file[] =
    " (the metadata server is asked as GOOGLE_APPLICATION_CREDENTIALS is not set)";

struct gcp_token {
	const char *path;
	struct gcp_credentials credentials;
	struct requests *requests;
	const struct bus_owner *owner;

	char *headers[HEADERS]; /* Authorization; the project that pays, or NULL; NULL */
	uint64_t number;
	bool there;         /* and has not been refused */
	bool good;          /* it has been accepted */
	int64_t expires_ms; /* by core_now_ms, as all below */
	int64_t fetch_ms;   /* another is wanted then */
	unsigned failures;

	struct request *request; /* a step of what fetches one; NULL: none is under way */
	struct gcp_grant grant;
};

static void
free_headers(struct gcp_token *t)
{
	if (t->headers[0] != NULL)
		explicit_bzero(t->headers[0], strlen(t->headers[0]));
	for (size_t i = 0; i < HEADERS; i++)
		text_set(&t->headers[i], NULL);
}

struct gcp_token *
gcp_token_open(const char *path, struct gcp_credentials *c, struct requests *requests,
    const struct bus_owner *owner)
{
	struct gcp_token *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		log_error(owner->log, "out of memory");
		return NULL;
	}
	t->path = path;
	t->credentials = *c;
	*c = (struct gcp_credentials){.kind = GCP_METADATA};
	t->requests = requests;
	t->owner = owner;
	return t;
}

void
gcp_token_close(struct gcp_token *t)
{
	if (t == NULL)
		return;
	requests_cancel(t->request);
	gcp_grant_free(&t->grant);
	gcp_credentials_free(&t->credentials);
	free_headers(t);
	free(t);
}

static bool
usable(const struct gcp_token *t)
{
	return t->there && core_now_ms() < t->expires_ms;
}

/* A fetch that failed is news when there is nothing to go on with. */
static void
fail(struct gcp_token *t, const char *why)
{
	gcp_grant_free(&t->grant);
	t->failures++;
	t->fetch_ms = core_now_ms() + backoff_ms(t->failures, BASE_MS, MAX_MS);
	if (!usable(t))
		t->owner->trouble(t->owner->core, "no access token: %s%s", why,
		    t->path != NULL ? "" : without_file);
}

/* What is to be a header must not be able to begin another. */
static bool
fit_for_header(const char *token)
{
	size_t len = strlen(token);

	for (size_t i = 0; i < len; i++)
		if (!isgraph((unsigned char)token[i]))
			return false;
	return len > 0;
}

/* There is a new token. */
static void
keep(struct gcp_token *t)
{
	const char *project = t->credentials.quota_project;
	int64_t now = core_now_ms();
	int64_t lifetime_ms = t->grant.lifetime_ms;
	int64_t early = lifetime_ms / EARLY_SHARE;

	if (!fit_for_header(t->grant.token)) {
		fail(t, "what was given as one is none");
		return;
	}
	free_headers(t);
	t->headers[0] = text_printf("Authorization: Bearer %s", t->grant.token);
	if (project != NULL && fit_for_header(project))
		t->headers[1] = text_printf("X-Goog-User-Project: %s", project);
	gcp_grant_free(&t->grant);
	t->there = t->headers[0] != NULL;
	t->good = false;
	t->number++;
	t->expires_ms = now + lifetime_ms;
	t->fetch_ms = t->expires_ms - (early < EARLY_MS ? early : EARLY_MS);
}

static void step(struct gcp_token *t);

static void
on_answer(void *arg, const struct answer *answer)
{
	struct gcp_token *t = arg;
	char why[GCP_GRANT_WHY];

	t->request = NULL;
	if (gcp_grant_take(&t->grant, &t->credentials, answer, why, sizeof(why)) == -1)
		fail(t, why);
	else
		step(t);
}

/* Goes on until there is a token or an answer is waited for. */
static void
step(struct gcp_token *t)
{
	char why[GCP_GRANT_WHY];
	struct ask ask;

	switch (gcp_grant_next(&t->grant, &t->credentials, &ask, why, sizeof(why))) {
	case GCP_GRANT_ASK:
		ask.timeout_ms = FETCH_MS;
		t->request = requests_start(t->requests, &ask, on_answer, t);
		if (t->request == NULL)
			fail(t, "out of memory");
		break;
	case GCP_GRANT_DONE:
		keep(t);
		break;
	case GCP_GRANT_FAILED:
		fail(t, why);
		break;
	}
}

/* Reads the file again. What it said before stays in force when that fails: it may be being
 * replaced. */
static void
reload(struct gcp_token *t)
{
	struct gcp_credentials c;
	char why[GCP_GRANT_WHY];

	if (t->path == NULL || t->number == 0 ||
	    gcp_credentials_load(&c, t->path, why, sizeof(why)) == -1)
		return;
	gcp_credentials_free(&t->credentials);
	t->credentials = c;
}

const char *const *
gcp_token_headers(const struct gcp_token *t, uint64_t *number)
{
	*number = t->number;
	return usable(t) ? (const char *const *)t->headers : NULL;
}

void
gcp_token_good(struct gcp_token *t, uint64_t number)
{
	if (number != t->number)
		return;
	t->good = true;
	t->failures = 0;
}

void
gcp_token_refused(struct gcp_token *t, uint64_t number, const char *why)
{
	int64_t now = core_now_ms();

	if (number != t->number || !t->there)
		return;
	t->there = false;
	if (t->good) { /* it was revoked: no news while another can be had */
		t->fetch_ms = now;
		return;
	}
	t->failures++;
	t->fetch_ms = now + backoff_ms(t->failures, BASE_MS, MAX_MS);
	t->owner->trouble(t->owner->core, "the access token is not accepted: %s", why);
}

void
gcp_token_work(struct gcp_token *t)
{
	if (t->request != NULL || core_now_ms() < t->fetch_ms)
		return;
	reload(t);
	step(t);
}

int
gcp_token_timeout_ms(const struct gcp_token *t)
{
	int64_t left = t->fetch_ms - core_now_ms();

	if (t->request != NULL)
		return -1;
	if (left <= 0)
		return 0;
	return left < INT_MAX ? (int)left : INT_MAX;
}
