/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A window larger than this is made small again once it stands empty. */
static const size_t HUGE_SIZE = 8 * (size_t)INPUT_CHUNK;

void
input_init(struct input *in, int fd, size_t max)
{
	*in = (struct input){.fd = fd, .max = max};
}

void
input_free(struct input *in)
{
	free(in->data);
	in->data = NULL;
}

/* Moves what is untaken to the front and makes room for a chunk behind it. What one huge line
 * took is given back once it is gone. */
static int
make_room(struct input *in)
{
	size_t len = input_len(in);
	size_t want = 2 * (size_t)INPUT_CHUNK;
	char *data;

	if (in->begin > 0) {
		memmove(in->data, in->data + in->begin, len);
		in->begin = 0;
		in->end = len;
	}
	while (want < len + INPUT_CHUNK)
		want *= 2;
	if (want == in->size || (want < in->size && in->size <= HUGE_SIZE))
		return 0;
	data = realloc(in->data, want);
	if (data == NULL)
		return -1;
	in->data = data;
	in->size = want;
	return 0;
}

enum input_result
input_fill(struct input *in)
{
	size_t room;
	ssize_t n;

	if (in->eof)
		return INPUT_EOF;
	if (input_len(in) >= in->max)
		return INPUT_FULL;
	if ((in->size - in->end < INPUT_CHUNK ||
		(in->size > HUGE_SIZE && input_len(in) < INPUT_CHUNK)) &&
	    make_room(in) == -1)
		return INPUT_ERROR;
	room = in->size - in->end;
	if (room > in->max - input_len(in))
		room = in->max - input_len(in);
	do
		n = read(in->fd, in->data + in->end, room);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno == EAGAIN ? INPUT_AGAIN : INPUT_ERROR;
	if (n == 0) {
		in->eof = true;
		return INPUT_EOF;
	}
	in->end += (size_t)n;
	return INPUT_OK;
}

bool
input_ready(const struct input *in, int stop_fd, int timeout_ms)
{
	struct pollfd fds[2] = {
	    {.fd = in->fd, .events = POLLIN},
	    {.fd = stop_fd, .events = POLLIN},
	};

	return in->eof || poll(fds, 2, timeout_ms) > 0;
}

bool
input_line(struct input *in, char **line, size_t *len)
{
	size_t have = input_len(in);
	char *newline;

	if (have == in->searched)
		return false;
	*line = in->data + in->begin;
	newline = memchr(*line + in->searched, '\n', have - in->searched);
	if (newline == NULL) {
		in->searched = have;
		return false;
	}
	*len = (size_t)(newline - *line);
	return true;
}

void
input_take(struct input *in, size_t n)
{
	assert(n <= input_len(in));
	in->begin += n;
	in->offset += n;
	in->searched = 0;
	if (in->begin == in->end)
		in->begin = in->end = 0;
}
