/* SPDX-License-Identifier: Apache-2.0 */
/* Which types the command line asks for. */
#ifndef CHOOSE_H
#define CHOOSE_H

#include "env.h"
#include "types.h"

/* Sets chosen[i], of types->n, for each type that is to be watched: those named, else all
 * preferred ones (with --namespace the namespaced ones). 0; -1 with a message: a name means no
 * type, or one that cannot be watched; the others are chosen. again: such names have been
 * reported before. */
int choose_types(const struct env *env, const struct types *types, bool *chosen, bool again);

#endif
