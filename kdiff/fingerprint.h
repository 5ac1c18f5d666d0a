/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FINGERPRINT_H
#define FINGERPRINT_H

#include "event.h"

/* XXH3-128 of the object's bytes but for the values of metadata.resourceVersion and
 * metadata.managedFields: equal when nothing that anyone asked for has changed. */
void fingerprint(const struct object *object, uint64_t hash[2]);

#endif
