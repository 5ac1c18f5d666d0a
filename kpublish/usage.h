/* SPDX-License-Identifier: Apache-2.0 */
/* What people are told about the buses that there are. */
#ifndef USAGE_H
#define USAGE_H

#include <stdbool.h>

#include "bus.h"

/* The text of --help; the caller frees it. NULL when out of memory. */
char *usage_help(void);

/* No bus has the URL's scheme: says which there are. */
void usage_unknown_scheme(const struct log *log, const struct url *url);

/* Are all query parameters such as the bus knows? If not, says which there are. */
bool usage_known_params(const struct log *log, const struct bus *bus, const struct url *url);

#endif
