/* SPDX-License-Identifier: Apache-2.0 */
/* How far the streams of an earlier run have come: what `kdiff --state DIR --positions` prints
 * and --resume reads. A line a stream:
 *
 *	PATH <tab> RESOURCEVERSION [<tab> KIND]
 *
 * PATH is the stream's name in marks, its selectors included. An empty resourceVersion, or 0:
 * the stream is known, but has to begin with a snapshot. KIND: of its objects, for the mark that
 * tells that the type is gone, when no server can be asked for it any more. */
#ifndef POSITIONS_H
#define POSITIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "log.h"
#include "types.h"

/* Strings are owned. */
struct position {
	char *name;       /* the path with its selectors */
	char *version;    /* "": not known */
	struct type type; /* group, version, resource and perhaps kind; the rest is "" */
	char *ns;         /* "": all namespaces, or none */
	char *selectors;  /* as in the name, "" without any */
	bool done;        /* a stream has gone on from it, or nothing is to be done about it */
};

struct positions {
	struct position *list; /* in the file's order */
	size_t n;
	size_t size;
};

/* Reads a file or, "-", standard input to its end. An exit code: EXIT_OK; EXIT_FAILED or, for
 * what is malformed, EXIT_USAGE, with a message. positions_free in any case. */
int positions_read(struct positions *positions, const char *file, const struct log *log);
void positions_free(struct positions *positions);

/* The one that a stream of that name is to go on from; NULL: there is none, or it is done. */
struct position *positions_find(const struct positions *positions, const char *name);

#endif
