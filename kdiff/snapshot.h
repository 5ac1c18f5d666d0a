/* SPDX-License-Identifier: Apache-2.0 */
/* kwatch's marks: snapshots, and the deletes that follow from what one did not show. */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "change.h"

/* Takes a BOOKMARK; one without kollect/stream means nothing. Results as change_apply. */
enum change_result snapshot_mark(
    struct kdiff *k, const struct object *object, const char **why);

#endif
