/* SPDX-License-Identifier: Apache-2.0 */
/* --resync-fd: asks kwatch for a snapshot of a stream, by its name on a line: kollect(5), "Resyncs".
 * kwatch may be waiting for kdiff to read: it is never waited for. */
#ifndef RESYNC_H
#define RESYNC_H

#include <stdbool.h>

#include "buf.h"
#include "log.h"
#include "store.h"

struct resync {
	int fd;             /* -1: nobody can be asked */
	struct buf pending; /* lines that the pipe has not taken yet */
	const struct log *log;
};

/* Takes fd (-1 for none), which is made non-blocking. 0, or -1 with a message. */
int resync_init(struct resync *resync, const struct log *log, int fd);
void resync_free(struct resync *resync);

/* Asks for a snapshot of the stream with that path. false: nobody can be asked. */
bool resync_ask(struct resync *resync, struct bytes path);

/* Writes what is pending, as far as the pipe takes it. */
void resync_push(struct resync *resync);

#endif
