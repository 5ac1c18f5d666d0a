/* SPDX-License-Identifier: Apache-2.0 */
/* Frames on standard input → one line of text for each on standard output. */
#ifndef DECODE_H
#define DECODE_H

#include "tool.h"

/* Runs until the end of input or until stop_fd is readable. brief: lines for people, else one
 * JSON object a line. Returns the tool's exit code; what went wrong has been said. */
int decode_run(const struct tool *tool, int stop_fd, bool brief);

#endif
