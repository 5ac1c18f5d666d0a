/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_credentials.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "aws_fetch.h"
#include "backoff.h"
#include "core.h"
#include "text.h"
#include "tool.h"

enum {
	MARGIN_S = 300, /* before they expire; less when they are short-lived */
	LEFT_MAX_S = 86400,
	AGAIN_S = 60, /* when expired ones were given, which may be good nevertheless */
	RETRY_BASE_MS = 500,
	RETRY_MAX_MS = 60000,
};

struct aws_credentials {
	const struct bus_owner *owner;
	struct aws_fetch fetch;
	struct aws_keys keys;
	char *header; /* of the keys, or NULL */
	uint64_t generation;
	uint64_t accepted; /* the last generation that the service took */
	bool refused;
	unsigned failures;
	int64_t next_ms; /* when to fetch; INT64_MAX: not before they are refused */
};

int
aws_credentials_renewal(int64_t left_s)
{
	int margin;

	if (left_s <= 0)
		return AGAIN_S;
	if (left_s > LEFT_MAX_S)
		left_s = LEFT_MAX_S;
	margin = left_s / 3 < MARGIN_S ? (int)left_s / 3 : MARGIN_S;
	/* Many that were started together do not ask together. */
	margin += backoff_ms(1, margin * 500, INT_MAX) / 1000;
	return (int)left_s - margin;
}

static void
got(struct aws_credentials *c, struct aws_keys *keys)
{
	aws_keys_free(&c->keys);
	c->keys = *keys;
	c->generation++;
	c->refused = false;
	c->failures = 0;
	c->next_ms = INT64_MAX;
	if (keys->expires > 0)
		c->next_ms =
		    core_now_ms() + (int64_t)1000 * aws_credentials_renewal(
							keys->expires - (int64_t)time(NULL));
}

static void
failed(struct aws_credentials *c, const char *why)
{
	c->failures++;
	c->next_ms = core_now_ms() + backoff_ms(c->failures, RETRY_BASE_MS, RETRY_MAX_MS);
	if (c->generation == 0 || c->refused)
		c->owner->trouble(c->owner->core, "no credentials: %s", why);
	else
		log_warning(c->owner->log, "credentials are not renewed: %s", why);
}

static void
fetched(void *arg, struct aws_keys *keys, const char *why)
{
	struct aws_credentials *c = arg;
	char *header = NULL;

	if (keys == NULL) {
		failed(c, why);
		return;
	}
	if (keys->token != NULL) {
		header = text_printf("X-Amz-Security-Token: %s", keys->token);
		if (header == NULL) {
			aws_keys_free(keys);
			failed(c, "out of memory");
			return;
		}
	}
	text_set(&c->header, header);
	got(c, keys);
}

struct aws_credentials *
aws_credentials_open(struct requests *requests, const char *region,
    const struct bus_owner *owner, int *exit_code)
{
	struct aws_credentials *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		log_error(owner->log, "out of memory");
		*exit_code = EXIT_FAILED;
		return NULL;
	}
	c->owner = owner;
	if (aws_fetch_init(&c->fetch, requests, region, fetched, c, owner->log) == -1) {
		*exit_code = EXIT_USAGE;
		aws_credentials_close(c);
		return NULL;
	}
	return c;
}

void
aws_credentials_close(struct aws_credentials *c)
{
	if (c == NULL)
		return;
	aws_fetch_stop(&c->fetch);
	aws_keys_free(&c->keys);
	free(c->header);
	free(c);
}

const struct aws_keys *
aws_credentials_get(const struct aws_credentials *c, const char **header)
{
	*header = c->header;
	return c->generation > 0 && !c->refused ? &c->keys : NULL;
}

uint64_t
aws_credentials_generation(const struct aws_credentials *c)
{
	return c->generation;
}

void
aws_credentials_accepted(struct aws_credentials *c, uint64_t generation)
{
	if (generation > c->accepted)
		c->accepted = generation;
}

bool
aws_credentials_refused(struct aws_credentials *c, uint64_t generation)
{
	if (generation == c->generation && !c->refused) {
		c->refused = true;
		c->next_ms = 0;
	}
	return c->accepted >= generation;
}

int
aws_credentials_timeout_ms(const struct aws_credentials *c)
{
	int64_t left = c->next_ms - core_now_ms();

	if (c->fetch.busy || c->next_ms == INT64_MAX)
		return -1;
	if (left <= 0)
		return 0;
	return left < 60000 ? (int)left : 60000;
}

void
aws_credentials_work(struct aws_credentials *c)
{
	if (!c->fetch.busy && core_now_ms() >= c->next_ms)
		aws_fetch_start(&c->fetch);
}
