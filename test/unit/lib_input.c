/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

static bool
line_is(struct input *in, const char *want)
{
	char *line;
	size_t len;

	if (!input_line(in, &line, &len) || len != strlen(want) || memcmp(line, want, len) != 0)
		return false;
	input_take(in, len + 1);
	return true;
}

static void
lines(struct tap *tap, int fds[2])
{
	struct input in;
	char *line;
	size_t len;

	input_init(&in, fds[0], 1024);
	tap_ok(tap, input_fill(&in) == INPUT_AGAIN && !input_ready(&in, -1, 0),
	    "nothing to read yet");
	if (write(fds[1], "one\ntwo\n\nthr", 12) != 12)
		tap_ok(tap, false, "write");
	tap_ok(tap, input_ready(&in, -1, 1000) && input_fill(&in) == INPUT_OK,
	    "something to read");
	tap_ok(tap,
	    line_is(&in, "one") && line_is(&in, "two") && line_is(&in, "") &&
		!input_line(&in, &line, &len),
	    "whole lines only");
	tap_ok(tap, in.offset == 9 && input_len(&in) == 3, "the offset of what is untaken");
	tap_ok(tap, !input_line(&in, &line, &len) && in.searched == 3,
	    "what was searched is not searched again");
	if (write(fds[1], "ee\nlast", 7) != 7)
		tap_ok(tap, false, "write");
	tap_ok(
	    tap, input_fill(&in) == INPUT_OK && line_is(&in, "three"), "a line in two parts");
	close(fds[1]);
	tap_ok(tap,
	    input_fill(&in) == INPUT_EOF && in.eof && input_ready(&in, -1, 0) &&
		input_fill(&in) == INPUT_EOF && input_len(&in) == 4 &&
		memcmp(input_data(&in), "last", 4) == 0,
	    "the end, with a last line without newline");
	input_free(&in);
	close(fds[0]);
}

static void
long_line(struct tap *tap)
{
	enum { MAX = 3 * 1024 * 1024, LEN = 2 * 1024 * 1024 };
	char path[] = "/tmp/lib_input-XXXXXX";
	int fd = mkstemp(path);
	char *text = malloc(LEN);
	struct input in;
	char *line;
	size_t len = 0;
	bool ok = fd != -1 && text != NULL;

	unlink(path);
	if (ok) {
		memset(text, 'x', LEN);
		ok = write(fd, text, LEN) == LEN && write(fd, "\nshort\n", 7) == 7 &&
		     write(fd, text, LEN) == LEN && write(fd, text, LEN) == LEN &&
		     lseek(fd, 0, SEEK_SET) == 0;
	}
	tap_ok(tap, ok, "a file of long lines");
	input_init(&in, fd, MAX);
	while (!input_line(&in, &line, &len) && input_fill(&in) == INPUT_OK)
		;
	tap_ok(
	    tap, len == LEN && line[0] == 'x' && line[LEN - 1] == 'x', "a line of many reads");
	input_take(&in, len + 1);
	while (!input_line(&in, &line, &len) && input_fill(&in) == INPUT_OK)
		;
	tap_ok(tap, line_is(&in, "short"), "the one behind it");
	while (input_fill(&in) == INPUT_OK)
		;
	tap_ok(tap, input_fill(&in) == INPUT_FULL && input_len(&in) == MAX,
	    "one over the cap is told, not taken");
	input_take(&in, MAX);
	while (input_fill(&in) == INPUT_OK)
		input_take(&in, input_len(&in));
	tap_ok(tap, in.eof && in.offset == 3ULL * LEN + 7 && in.size < MAX,
	    "its memory is given back once it is gone");
	input_free(&in);
	free(text);
	close(fd);
}

int
main(void)
{
	struct tap tap = {0};
	struct input in;
	int fds[2];

	if (!tap_ok(&tap, pipe2(fds, O_NONBLOCK) == 0, "a pipe"))
		return tap_done(&tap);
	lines(&tap, fds);
	long_line(&tap);
	input_init(&in, -1, 100);
	tap_ok(&tap, input_fill(&in) == INPUT_ERROR, "a descriptor that is closed is an error");
	input_free(&in);
	return tap_done(&tap);
}
