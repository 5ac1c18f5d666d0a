/* SPDX-License-Identifier: Apache-2.0 */
/* What the bus said, put into the window, the dead-letter file, the metrics and the log. */
#ifndef VERDICT_H
#define VERDICT_H

#include "core.h"

/* Makes core->owner, whose functions these are. */
void verdict_init(struct core *core);

#endif
