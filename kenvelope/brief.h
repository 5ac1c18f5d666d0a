/* SPDX-License-Identifier: Apache-2.0 */
/* An Envelope on one line for people: 10:15:00 created Deployment shop/web by kubectl */
#ifndef BRIEF_H
#define BRIEF_H

#include <stdbool.h>

#include "buf.h"
#include "kollect/event/v1/event.pb-c.h"

/* Appends the line, without a newline. Control characters are shown as ?. 0, or -1 as buf_add.
 */
int brief_print(struct buf *to, const Kollect__Event__V1__Envelope *envelope, bool colour);

#endif
