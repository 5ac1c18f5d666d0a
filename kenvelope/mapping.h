/* SPDX-License-Identifier: Apache-2.0 */
/* An Envelope in protobuf's JSON mapping, with the objects it holds shown as JSON. */
#ifndef MAPPING_H
#define MAPPING_H

#include "buf.h"
#include "kollect/event/v1/event.pb-c.h"

/* Appends one JSON object, without a newline. Bytes that should hold JSON and do not, and
 * payloads of unknown type, are shown in base64. 0, or -1 as buf_add. */
int mapping_print(struct buf *to, const Kollect__Event__V1__Envelope *envelope);

#endif
