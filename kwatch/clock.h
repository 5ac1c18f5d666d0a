/* SPDX-License-Identifier: Apache-2.0 */
/* Time that never jumps, and random numbers to spread load with (not for secrets). */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC; never 0. */
int64_t clock_ms(void);

/* A number from 0 to below n (n > 0), evenly spread. */
uint64_t clock_random(uint64_t n);

#endif
