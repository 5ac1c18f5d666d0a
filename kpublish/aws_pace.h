/* SPDX-License-Identifier: Apache-2.0 */
/* How many requests may be under way, and when: what has failed is followed by a pause, which
 * doubles (full jitter), and half as many; each round of successes allows one more. */
#ifndef AWS_PACE_H
#define AWS_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aws_pace {
	size_t max;
	size_t allowed;    /* so many may be under way */
	size_t successes;  /* since allowed changed */
	unsigned failures; /* one after the other */
	bool paused;
	int64_t until_ms; /* of the pause */
};

void aws_pace_init(struct aws_pace *pace, size_t max);

void aws_pace_succeeded(struct aws_pace *pace);
/* at_least_ms: of the pause; 0: no matter. What fails within a pause was under way with what
 * began it, and does not count. */
void aws_pace_failed(struct aws_pace *pace, int64_t now_ms, int64_t at_least_ms);

/* Milliseconds until aws_pace_wake ends the pause; -1: there is none. */
int aws_pace_timeout_ms(const struct aws_pace *pace, int64_t now_ms);
void aws_pace_wake(struct aws_pace *pace, int64_t now_ms);

#endif
