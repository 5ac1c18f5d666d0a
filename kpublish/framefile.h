/* SPDX-License-Identifier: Apache-2.0 */
/* A file (or pipe, or device) to which frames are appended, whole ones only. */
#ifndef FRAMEFILE_H
#define FRAMEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"

struct framefile;

/* Opens or makes the file at path for appending. Of a regular file it is checked that it
 * consists of frames; a piece of one at its end, which a crash left, was never acknowledged and
 * is cut off with a warning. NULL with a message, which begins with path. log and path are
 * borrowed until close. */
struct framefile *framefile_open(const char *path, const struct log *log);
/* The same on a descriptor that is open already, and stays open. name: for messages. */
struct framefile *framefile_wrap(int fd, const char *name, const struct log *log);
void framefile_close(struct framefile *f);

/* Gathers a frame; body is borrowed until framefile_flush. False: flush first. */
bool framefile_add(struct framefile *f, const uint8_t *body, size_t len);

/* Writes what has been gathered; a regular file is on the disk when this returns. -1 with a
 * message (none for EPIPE: a reader that has gone is no news); the file then ends as it did
 * before. */
int framefile_flush(struct framefile *f);

#endif
