/* SPDX-License-Identifier: Apache-2.0 */
/* Change records on standard input → frames on standard output. */
#ifndef ENCODE_H
#define ENCODE_H

#include "tool.h"

/* Runs until the end of input or until stop_fd is readable. cluster_id: NULL to learn it from
 * the kube-system Namespace in the stream; records before it are held back. Returns the tool's
 * exit code; what went wrong has been said. */
int encode_run(const struct tool *tool, int stop_fd, const char *cluster_id);

#endif
