/* SPDX-License-Identifier: Apache-2.0 */
#include "outflow.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIPE_BYTES = 1024 * 1024 };

/* Bytes of text that are held for a slow reader; made from the outbox at a time; and written in
 * one call, behind which it is time to look at standard input again. */
static const size_t hold = (size_t)2 << 20;
static const size_t refill = (size_t)512 << 10;
static const uint64_t turn = (uint64_t)4 << 20;

/* A line has at most two states and their small members. */
static const size_t text_max = (size_t)320 << 20;

/* An open file description of its own for the pipe that fd is: O_NONBLOCK on the one it has would
 * be everyone's who has it, as a shell's. */
static int
own_description(int fd)
{
	char path[40];
	int own;
	int rc;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (own == -1)
		return -1;
	rc = dup2(own, fd);
	close(own);
	return rc;
}

void
outflow_open(struct outflow *o, const struct log *log, int fd, uint64_t next)
{
	struct stat st;

	*o = (struct outflow){
	    .log = log,
	    .fd = fd,
	    .restore = -1,
	    .next = next,
	    .released_next = next,
	    .written_seq = next - 1,
	};
	buf_init(&o->text, text_max);
	o->blocking = fstat(fd, &st) == -1 || (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode));
	if (o->blocking)
		return;
	/* Fails on what is no pipe, and over the user's pipe quota: it is a wish only. */
	(void)fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
	if (own_description(fd) != -1)
		return;
	o->restore = fcntl(fd, F_GETFL);
	if (o->restore == -1 || (o->restore & O_NONBLOCK) != 0 ||
	    fcntl(fd, F_SETFL, o->restore | O_NONBLOCK) == -1)
		o->restore = -1;
}

void
outflow_close(struct outflow *o)
{
	if (o->restore != -1)
		(void)fcntl(o->fd, F_SETFL, o->restore);
	o->restore = -1;
	buf_free(&o->text);
}

void
outflow_end(struct outflow *o)
{
	outflow_close(o);
	(void)close(o->fd);
}

bool
outflow_wants(const struct outflow *o, uint64_t seq)
{
	return o->next == seq && o->text.len - o->done < hold;
}

int
outflow_add(struct outflow *o, const struct record_line *line)
{
	if (record_line(line, &o->text) == -1) {
		log_error(o->log, "cannot write the record %llu: %s",
		    (unsigned long long)line->seq, strerror(errno));
		return -1;
	}
	o->next = line->seq + 1;
	return 0;
}

void
outflow_release(struct outflow *o)
{
	o->released = o->text.len;
	o->released_next = o->next;
	if (o->written >= o->mark) {
		o->mark = o->written + (o->released - o->done);
		o->mark_next = o->next;
	}
}

/* Where in the text each record ends is not known, but up to where all of it was some time ago. */
static void
note_written(struct outflow *o)
{
	if (o->done == o->released)
		o->written_seq = o->released_next - 1;
	else if (o->written >= o->mark && o->mark_next > o->written_seq)
		o->written_seq = o->mark_next - 1;
}

/* The written part of the text goes when it is all there is, or large. */
static void
tidy(struct outflow *o)
{
	if (o->done < o->text.len && o->done < hold)
		return;
	buf_consume(&o->text, o->done);
	o->released -= o->done;
	o->done = 0;
	buf_shrink(&o->text, 2 * hold);
}

/* Writes what is released, until fd takes no more. 0 or -1. */
static int
write_released(struct outflow *o)
{
	while (o->done < o->released) {
		ssize_t n = write(o->fd, o->text.data + o->done, o->released - o->done);

		if (n >= 0) {
			o->done += (size_t)n;
			o->written += (uint64_t)n;
		} else if (errno == EAGAIN && !o->blocking) {
			break;
		} else if (errno == EAGAIN) {
			struct pollfd wait = {.fd = o->fd, .events = POLLOUT};

			(void)poll(&wait, 1, -1);
		} else if (errno != EINTR) {
			if (errno != EPIPE)
				log_error(o->log, "cannot write records: %s", strerror(errno));
			return -1;
		}
	}
	note_written(o);
	tidy(o);
	return 0;
}

/* Makes one record of its row again. 0 or -1. */
static int
make_again(
    struct outflow *o, struct kinds *kinds, const struct outbox_row *row, struct buf *states)
{
	struct record_line line = {
	    .seq = row->seq,
	    .type = row->type,
	    .collapsed = row->collapsed,
	    .small = row->small,
	};
	size_t then_len;

	states->len = 0;
	buf_shrink(states, hold);
	if (row->then.bytes.p != NULL && kinds_unpack(kinds, &row->then, states) == -1)
		return -1;
	then_len = states->len;
	if (row->now.bytes.p != NULL && kinds_unpack(kinds, &row->now, states) == -1)
		return -1;
	if (row->then.bytes.p != NULL)
		line.then = (struct bytes){states->data, then_len};
	if (row->now.bytes.p != NULL)
		line.now = (struct bytes){states->data + then_len, states->len - then_len};
	o->again++;
	return outflow_add(o, &line);
}

/* Text of what stands in the outbox, as much as is good to have at hand. 0 or -1. */
static int
fill(struct outflow *o, struct store *store, struct kinds *kinds, struct buf *states)
{
	uint64_t last = store_committed_seq(store);
	struct outbox_row row;
	int have = 1;

	if (store_begin_reading(store) == -1)
		return -1;
	while (have == 1 && o->next <= last && o->text.len - o->done < refill) {
		have = outbox_get(store, o->next, &row);
		if (have == 1 && make_again(o, kinds, &row, states) == -1)
			have = -1;
	}
	store_end_reading(store);
	if (have == 0) /* what there was behind has been collapsed into what was before */
		o->next = last + 1;
	outflow_release(o);
	return have == -1 ? -1 : 0;
}

int
outflow_push(struct outflow *o, struct store *store, struct kinds *kinds)
{
	uint64_t begun = o->written;
	struct buf states;
	int result;

	buf_init(&states, text_max);
	while ((result = write_released(o)) == 0 && !outflow_waits(o) &&
	       !store_in_transaction(store) && o->next <= store_committed_seq(store) &&
	       o->written - begun < turn) {
		result = fill(o, store, kinds, &states);
		if (result == -1)
			break;
	}
	buf_free(&states);
	return result;
}

bool
outflow_behind(const struct outflow *o, const struct store *store)
{
	return o->done < o->released || o->next <= store_committed_seq(store);
}

bool
outflow_waits(const struct outflow *o)
{
	return o->done < o->released;
}

uint64_t
outflow_written(const struct outflow *o)
{
	return o->written_seq;
}

uint64_t
outflow_begun(const struct outflow *o)
{
	return o->released_next - 1;
}
