/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to events: a line each as kwatch writes them, or indented as kubectl prints them,
 * where the first may be a List of everything: that is taken apart while it comes in. */
#ifndef READER_H
#define READER_H

#include "input.h"
#include "kdiff.h"

struct reader;

/* k and fd are borrowed. NULL with a message when out of memory. */
struct reader *reader_open(struct kdiff *k, int fd);
void reader_close(struct reader *r);

/* What has been read so far, for input_fill and input_ready. */
struct input *reader_input(struct reader *r);

/* Takes all events that stand complete in the input; at its end also a last one without
 * newline. 0; or -1, with a message: a bad line (unless they are skipped) or a failure of the
 * store. */
int reader_run(struct reader *r);

#endif
