/* SPDX-License-Identifier: Apache-2.0 */
/* How long to wait after a failure: doubled from 0.8 s to 30 s with full jitter, and forgotten
 * after two minutes of health. Source: client-go's reflector (tools/cache/reflector.go). */
#ifndef BACKOFF_H
#define BACKOFF_H

#include <stdint.h>

enum { BACKOFF_FIRST_MS = 800, BACKOFF_MAX_MS = 30000, BACKOFF_HEALTHY_MS = 120000 };

/* Zeroed: no failure so far. */
struct backoff {
	int64_t limit_ms; /* the last wait was drawn from below this; 0: none yet */
	int64_t until_ms; /* when the last wait is over, by the caller's clock */
};

/* The wait after one more failure at now_ms, in milliseconds: drawn evenly from 1 to the limit.
 * at_least_ms: what the server asked for (Retry-After), or 0; the draw comes on top of it, so
 * that those told the same do not come back together. */
int64_t backoff_next(struct backoff *b, int64_t now_ms, int64_t at_least_ms);

#endif
