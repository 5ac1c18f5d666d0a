/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the secrets out of a Secret, and leaves every other byte as the server sent it. */
#ifndef REDACT_H
#define REDACT_H

#include "buf.h"
#include "event.h"

/* What stands in place of a value: base64 of "redacted" in data, which must be base64. */
#define REDACT_DATA "cmVkYWN0ZWQ="
#define REDACT_TEXT "redacted"

/* Is it a Secret of the core group? */
bool redact_needed(const struct object *object);

/* Appends the object (all of its bytes) to out with each value of data and stringData replaced,
 * their keys kept, and with the value of the annotation that repeats them
 * (kubectl.kubernetes.io/last-applied-configuration) replaced. 0; or -1: the object is
 * malformed or out is full, and what was appended must not be used. */
int redact_object(const char *json, size_t len, struct buf *out);

#endif
