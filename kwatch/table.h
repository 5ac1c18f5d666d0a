/* SPDX-License-Identifier: Apache-2.0 */
/* kwatch --list-types. */
#ifndef TABLE_H
#define TABLE_H

#include "env.h"
#include "types.h"

/* Prints the types that the options ask for, a line each in columns as kubectl api-resources,
 * to standard output. 0, or -1 with a message. */
int table_print(const struct env *env, const struct types *types);

#endif
