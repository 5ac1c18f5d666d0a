/* SPDX-License-Identifier: Apache-2.0 */
/* kdiff's metrics: what each of enum counter is called. */
#ifndef COUNTERS_H
#define COUNTERS_H

#include "kdiff.h"

/* COUNTERS of them, all zero: the caller's to free. NULL when out of memory. */
struct metric *counters_new(void);

#endif
