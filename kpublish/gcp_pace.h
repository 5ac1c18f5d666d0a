/* SPDX-License-Identifier: Apache-2.0 */
/* How many requests may be under way: fewer, after a pause, when the server fails or throttles;
 * more, one by one, while it takes what it is sent. It knows no clock: times are milliseconds of
 * one that was never below 0. */
#ifndef GCP_PACE_H
#define GCP_PACE_H

#include <stddef.h>
#include <stdint.h>

struct gcp_pace {
	size_t max;
	size_t limit;      /* of requests under way, once it is resume_ms */
	unsigned failures; /* without a success between */
	int64_t failed_ms; /* when the last one that counts came */
	int64_t resume_ms; /* nothing is sent before */
};

void gcp_pace_init(struct gcp_pace *pace, size_t max);

void gcp_pace_good(struct gcp_pace *pace);
/* A request failed that was started at started_ms: those started together fail together, and
 * count as one. wait_ms: what the server asks for at least, or 0. */
void gcp_pace_bad(struct gcp_pace *pace, int64_t now_ms, int64_t started_ms, int64_t wait_ms);

/* May one more be started, when there are so many? */
int gcp_pace_allows(const struct gcp_pace *pace, size_t under_way, int64_t now_ms);

#endif
