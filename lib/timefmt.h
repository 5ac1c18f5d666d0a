/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 3339 timestamps, as Kubernetes and protobuf's JSON mapping print them. */
#ifndef TIMEFMT_H
#define TIMEFMT_H

#include <stddef.h>
#include <time.h>

enum { TIMEFMT_SIZE = 80 }; /* what snprintf could write at the worst, not what it does */

/* The time as 2026-11-23T10:15:00.123456Z, cut to microseconds (metav1.MicroTime). */
void timefmt_micro(struct timespec t, char out[TIMEFMT_SIZE]);

/* The same of the clock's time now. */
void timefmt_now(char out[TIMEFMT_SIZE]);

/* An RFC 3339 timestamp of len bytes, any offset, → *t; of a fraction nine digits count.
 * -1 if it is not one (protobuf's years 1 to 9999). */
int timefmt_parse(const char *text, size_t len, struct timespec *t);

#endif
