/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "brief.h"
#include "frames.h"
#include "input.h"
#include "mapping.h"
#include "metrics.h"
#include "out.h"

enum { POLL_MS = 1000 };

/* A frame as text may be longer than the frame: escapes, base64. */
#define LINE_MAX_BYTES (8 * INPUT_MAX)

enum { FRAMES, BAD_FRAMES, METRICS };

struct decode {
	const struct tool *tool;
	int stop_fd;
	bool brief;
	bool colour;
	struct input in;
	struct out out;
	struct buf line;
	struct metric counts[METRICS];
	struct metrics metrics;
};

static int
cannot_write(const struct decode *d)
{
	if (errno != EPIPE)
		log_error(&d->tool->log, "cannot write: %s", strerror(errno));
	return -1;
}

static int
print_frame(struct decode *d, const uint8_t *frame, size_t len)
{
	Kollect__Event__V1__Envelope *envelope =
	    kollect__event__v1__envelope__unpack(NULL, len, frame);
	int result;

	if (envelope == NULL) {
		d->counts[BAD_FRAMES].value++;
		log_error(&d->tool->log,
		    "byte %" PRIu64 ": a frame of %zu bytes is no kollect.event.v1.Envelope",
		    d->in.offset, len);
		return d->tool->on_error == ON_ERROR_SKIP ? 0 : -1;
	}
	d->line.len = 0;
	result = d->brief ? brief_print(&d->line, envelope, d->colour)
			  : mapping_print(&d->line, envelope);
	kollect__event__v1__envelope__free_unpacked(envelope, NULL);
	if (result == -1 || buf_add(&d->line, "\n", 1) == -1 ||
	    out_add(&d->out, d->line.data, d->line.len) == -1)
		return cannot_write(d);
	buf_shrink(&d->line, OUT_BATCH);
	d->counts[FRAMES].value++;
	return 0;
}

static int
take_frames(struct decode *d)
{
	for (;;) {
		const uint8_t *frame;
		size_t len;
		size_t whole;

		switch (frame_next(&d->in, &frame, &len, &whole)) {
		case FRAME_MORE:
			return 0;
		case FRAME_BAD:
			d->counts[BAD_FRAMES].value++;
			log_error(&d->tool->log,
			    "byte %" PRIu64
			    ": no frame begins here (its length is no varint, or "
			    "over 64 MiB): nothing after it can be read",
			    d->in.offset);
			return -1;
		default:
			if (print_frame(d, frame, len) == -1)
				return -1;
			input_take(&d->in, whole);
		}
	}
}

static int
at_end(struct decode *d)
{
	if (input_len(&d->in) == 0)
		return 0;
	d->counts[BAD_FRAMES].value++;
	log_error(&d->tool->log,
	    "byte %" PRIu64 ": the input ends within a frame, %zu bytes into it", d->in.offset,
	    input_len(&d->in));
	return d->tool->on_error == ON_ERROR_SKIP ? 0 : -1;
}

/* Reads once. 1: go on; 0: the end; -1: failed. */
static int
fill(struct decode *d)
{
	if (!input_ready(&d->in, -1, 0)) {
		if (out_flush(&d->out) == -1)
			return cannot_write(d);
		input_ready(&d->in, d->stop_fd, POLL_MS);
	}
	if (tool_stopping(d->stop_fd))
		return 0;
	if (!input_ready(&d->in, -1, 0))
		return 1;
	switch (input_fill(&d->in)) {
	case INPUT_OK:
	case INPUT_AGAIN:
		return 1;
	case INPUT_EOF:
		return at_end(d);
	default: /* never full: frame_next refuses such a length first */
		log_error(&d->tool->log, "cannot read: %s", strerror(errno));
		return -1;
	}
}

int
decode_run(const struct tool *tool, int stop_fd, bool brief)
{
	struct decode d = {
	    .tool = tool,
	    .stop_fd = stop_fd,
	    .brief = brief,
	    .colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL,
	    .counts =
		{
		    [FRAMES] = {"kollect_kenvelope_frames_total", NULL, "Frames decoded.",
			METRIC_COUNTER, 0},
		    [BAD_FRAMES] = {"kollect_kenvelope_bad_frames_total", NULL,
			"Frames that could not be decoded.", METRIC_COUNTER, 0},
		},
	};
	int more = 1;

	metrics_init(&d.metrics, &tool->log, tool->metrics_path, d.counts, METRICS);
	input_init(&d.in, STDIN_FILENO, INPUT_MAX + FRAME_HEADER_MAX);
	out_init(&d.out, STDOUT_FILENO);
	buf_init(&d.line, LINE_MAX_BYTES);
	while (more == 1) {
		metrics_tick(&d.metrics);
		more = fill(&d);
		if (more == 1 && take_frames(&d) == -1)
			more = -1;
	}
	if (out_flush(&d.out) == -1 && more == 0)
		more = cannot_write(&d);
	metrics_write(&d.metrics);
	buf_free(&d.line);
	out_free(&d.out);
	input_free(&d.in);
	return more == 0 ? EXIT_OK : EXIT_FAILED;
}
