/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_pace.h"

#include "backoff.h"

enum {
	PAUSE_MIN_MS = 20,
	PAUSE_BASE_MS = 100,
	PAUSE_MAX_MS = 10000,
};

void
aws_pace_init(struct aws_pace *p, size_t max)
{
	*p = (struct aws_pace){.max = max, .allowed = max};
}

void
aws_pace_succeeded(struct aws_pace *p)
{
	p->failures = 0;
	if (p->allowed < p->max && ++p->successes >= p->allowed) {
		p->allowed++;
		p->successes = 0;
	}
}

void
aws_pace_failed(struct aws_pace *p, int64_t now_ms, int64_t at_least_ms)
{
	int64_t pause;

	if (p->paused)
		return;
	p->failures++;
	p->successes = 0;
	p->allowed = p->allowed > 1 ? p->allowed / 2 : 1;
	pause = PAUSE_MIN_MS + backoff_ms(p->failures, PAUSE_BASE_MS, PAUSE_MAX_MS);
	p->paused = true;
	p->until_ms = now_ms + (pause > at_least_ms ? pause : at_least_ms);
}

int
aws_pace_timeout_ms(const struct aws_pace *p, int64_t now_ms)
{
	if (!p->paused)
		return -1;
	return p->until_ms > now_ms ? (int)(p->until_ms - now_ms) : 0;
}

void
aws_pace_wake(struct aws_pace *p, int64_t now_ms)
{
	if (p->paused && now_ms >= p->until_ms)
		p->paused = false;
}
