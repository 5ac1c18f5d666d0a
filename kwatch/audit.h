/* SPDX-License-Identifier: Apache-2.0 */
/* The self-audit: in each --audit-interval every stream's objects are listed once more, by their
 * metadata alone, and written as `exists` marks between `audit` and `audited`, for kdiff to compare
 * with what it knows. One stream after the other, spread over the interval. */
#ifndef AUDIT_H
#define AUDIT_H

#include "env.h"
#include "streams.h"

struct audit;

/* NULL when out of memory. */
struct audit *audit_open(struct env *env, struct streams *set);
void audit_close(struct audit *a);

/* Begins with a stream when it is time to. Returns the milliseconds until then, -1: not by
 * itself. */
int audit_tick(struct audit *a);

#endif
