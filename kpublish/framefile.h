/* SPDX-License-Identifier: Apache-2.0 */
/* A file (or pipe, or device) to which frames are appended, whole ones only. */
#ifndef FRAMEFILE_H
#define FRAMEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"

enum { FRAMEFILE_WHY = 128 };

struct framefile;

/* Opens or makes the file at path for appending. Of a regular file it is checked that it
 * consists of frames; a piece of one at its end, which a crash left, was never acknowledged and
 * is cut off with a warning. It is locked: another kpublish cannot open it. NULL with what is
 * wrong in why. */
struct framefile *framefile_open(
    const char *path, const struct log *log, char why[FRAMEFILE_WHY]);
/* The same on a descriptor that is open already, and stays open. NULL: out of memory. */
struct framefile *framefile_wrap(int fd);
void framefile_close(struct framefile *f);

/* Gathers a frame; body is borrowed until framefile_flush. False: flush first. */
bool framefile_add(struct framefile *f, const uint8_t *body, size_t len);

/* Writes what has been gathered; a regular file is on the disk when this returns. -1 with errno,
 * and nothing of it is in a regular file then, or it is cut off by the next call, whether
 * anything has been gathered or not. In any case nothing is gathered any more. */
int framefile_flush(struct framefile *f);

/* Is it one, so that what was not written whole is taken back? */
bool framefile_regular(const struct framefile *f);

/* Bytes of a regular file, with what has been gathered. */
uint64_t framefile_size(const struct framefile *f);

/* Is the file at path this one? Another, or none, after someone has moved it. */
bool framefile_is_at(const struct framefile *f, const char *path);

/* Where *f is not at path any more, or NULL, what is there takes its place; nothing has been
 * gathered. -1, with *f NULL and what is wrong in why: it cannot be opened. */
int framefile_follow(
    struct framefile **f, const char *path, const struct log *log, char why[FRAMEFILE_WHY]);

#endif
