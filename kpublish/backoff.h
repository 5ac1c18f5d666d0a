/* SPDX-License-Identifier: Apache-2.0 */
/* How long to wait before another try: exponential with full jitter.
 * Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
#ifndef BACKOFF_H
#define BACKOFF_H

/* Milliseconds, at random from 0 to base_ms doubled with each attempt (from 1 on), max_ms at
 * the most. */
int backoff_ms(unsigned attempt, int base_ms, int max_ms);

#endif
