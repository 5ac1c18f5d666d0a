/* SPDX-License-Identifier: Apache-2.0 */
/* Records on their way to standard output, which may take them slower than they come.
 *
 * A record's text is gathered when it is made, and written once its batch is committed. When the
 * reader is slow, no more than a bound of text is held: records behind it are left in the outbox
 * and made again from there, in order, when there is room. Invariants:
 *	text[0, done) has been written, text[done, released) may be, the rest is not committed;
 *	the text is that of records below next; those from next on stand in the outbox alone. */
#ifndef OUTFLOW_H
#define OUTFLOW_H

#include <stdbool.h>

#include "buf.h"
#include "kinds.h"
#include "outbox.h"

struct outflow {
	const struct log *log;
	int fd;
	bool blocking; /* a file or a terminal: it takes all, sooner or later */
	int restore;   /* the flags that fd had, to be set again at the end; -1: they have not
			* been changed */
	struct buf text;
	size_t done;
	size_t released;
	uint64_t next;          /* the first seq that has no text here */
	uint64_t released_next; /* the same of the text that may be written */
	uint64_t written;       /* bytes, in all */
	uint64_t
	    written_seq; /* the last seq whose record has been written whole, as is known */
	uint64_t mark;   /* at that many bytes written, all below mark_next are */
	uint64_t mark_next;
	uint64_t again; /* records that were made again from the outbox */
};

/* fd is borrowed. A pipe is widened, and written to without blocking: through an open file
 * description of its own where it can be had, so that nobody else's is changed. next: the seq of
 * the first record to write. */
void outflow_open(struct outflow *out, const struct log *log, int fd, uint64_t next);
/* Gives fd back as it was; outflow_end closes it too, so that the reader sees the end. */
void outflow_close(struct outflow *out);
void outflow_end(struct outflow *out);

/* Is the text of the record with that seq wanted now? If not it is made from the outbox, where
 * it has to stand. */
bool outflow_wants(const struct outflow *out, uint64_t seq);
/* Takes the record's text, which is not released yet. 0, or -1 with a message. */
int outflow_add(struct outflow *out, const struct record_line *line);

/* What was added is committed. */
void outflow_release(struct outflow *out);

/* Writes what there is, and makes more of it from the outbox, until fd takes no more or some MiB
 * are written. No transaction may be open when there is something to make. 0; or -1, with a
 * message unless the reader has gone (EPIPE). */
int outflow_push(struct outflow *out, struct store *store, struct kinds *kinds);

/* Is anything that is committed not written yet? */
bool outflow_behind(const struct outflow *out, const struct store *store);
/* Is there text that fd has not taken? Then wait for it to be writable. */
bool outflow_waits(const struct outflow *out);

/* The last seq whose record has been handed to fd whole, and maybe some before it. */
uint64_t outflow_written(const struct outflow *out);
/* The last seq of which fd may have taken a part. */
uint64_t outflow_begun(const struct outflow *out);

#endif
