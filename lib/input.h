/* SPDX-License-Identifier: Apache-2.0 */
/* A window over a descriptor's bytes, from which lines and frames are cut without copying. */
#ifndef INPUT_H
#define INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INPUT_CHUNK = 256 * 1024 }; /* bytes asked of one read */

/* The longest line or frame that any tool takes: forty times the largest object that etcd holds. */
#define INPUT_MAX ((size_t)64 * 1024 * 1024)

struct input {
	int fd;
	char *data; /* owned */
	size_t size;
	size_t begin; /* the first byte not yet taken */
	size_t end;
	size_t searched; /* from begin: bytes known to hold no newline */
	size_t max;      /* of bytes that may stand untaken */
	uint64_t offset; /* of begin in the whole input: for messages */
	bool eof;
};

/* fd is borrowed. max: the longest line or frame. */
void input_init(struct input *in, int fd, size_t max);
void input_free(struct input *in);

enum input_result {
	INPUT_OK,    /* bytes were added */
	INPUT_EOF,   /* there are no more; in->eof is set */
	INPUT_AGAIN, /* a non-blocking fd has nothing now */
	INPUT_FULL,  /* max bytes stand untaken: the line or frame is too long */
	INPUT_ERROR, /* errno */
};

/* One read(2) behind the untaken bytes. Blocks as the descriptor does. */
enum input_result input_fill(struct input *in);

/* Is there something to read (or the end) now? With stop_fd >= 0 its readiness counts too.
 * timeout_ms as poll(2). */
bool input_ready(const struct input *in, int stop_fd, int timeout_ms);

/* The next whole line without its newline; borrowed until the next input_fill. The line stays
 * untaken until input_take(in, *len + 1). false: no newline yet. */
bool input_line(struct input *in, char **line, size_t *len);

/* The first n bytes have been dealt with. */
void input_take(struct input *in, size_t n);

static inline const char *
input_data(const struct input *in)
{
	return in->data + in->begin;
}

static inline size_t
input_len(const struct input *in)
{
	return in->end - in->begin;
}

#endif
