/* SPDX-License-Identifier: Apache-2.0 */
#include "gcp_pace.h"

#include "backoff.h"

enum { BASE_MS = 100, MAX_MS = 5000, SHARE = 4 };

void
gcp_pace_init(struct gcp_pace *p, size_t max)
{
	*p = (struct gcp_pace){.max = max, .limit = max, .failed_ms = -1};
}

void
gcp_pace_good(struct gcp_pace *p)
{
	p->failures = 0;
	if (p->limit < p->max)
		p->limit++;
}

void
gcp_pace_bad(struct gcp_pace *p, int64_t now_ms, int64_t started_ms, int64_t wait_ms)
{
	int wait;

	if (started_ms <= p->failed_ms)
		return;
	p->failures++;
	p->failed_ms = now_ms;
	p->limit = p->limit / SHARE > 0 ? p->limit / SHARE : 1;
	wait = backoff_ms(p->failures, BASE_MS, MAX_MS);
	p->resume_ms = now_ms + (wait > wait_ms ? wait : wait_ms);
}

int
gcp_pace_allows(const struct gcp_pace *p, size_t under_way, int64_t now_ms)
{
	return under_way < p->limit && now_ms >= p->resume_ms;
}
