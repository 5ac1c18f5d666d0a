/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a watch: events, one a line. */
#ifndef WATCH_H
#define WATCH_H

#include "stream.h"

/* An http_handler's body, for SYNCING and WATCHING. */
int watch_body(void *arg, const char *bytes, size_t n);

#endif
