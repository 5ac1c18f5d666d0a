/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

#include <string.h>
#include <unistd.h>

#include "tap.h"

static bool
header_round_trips(uint64_t n)
{
	uint8_t bytes[FRAME_HEADER_MAX];
	size_t len = frame_header(n, bytes);
	uint64_t back = ~n;

	if (frame_varint(bytes, len, &back) != (int)len || back != n)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (frame_varint(bytes, i, &back) != 0)
			return false;
	}
	return true;
}

/* An input that holds these bytes. */
static bool
fill(struct input *in, const void *bytes, size_t n)
{
	int fds[2];
	bool ok = pipe(fds) == 0 && write(fds[1], bytes, n) == (ssize_t)n;

	input_init(in, fds[0], INPUT_MAX);
	ok = ok && input_fill(in) == INPUT_OK;
	close(fds[0]);
	close(fds[1]);
	return ok;
}

static void
frames(struct tap *tap)
{
	static const uint8_t too_long[] = {0x81, 0x80, 0x80, 0x20}; /* 64 MiB and a byte */
	const uint8_t *frame;
	struct input in;
	size_t whole = 0;
	size_t len = 0;

	tap_ok(tap,
	    fill(&in,
		"\x03"
		"abc\x00\x02"
		"d",
		7) &&
		frame_next(&in, &frame, &len, &whole) == FRAME_OK && len == 3 && whole == 4 &&
		memcmp(frame, "abc", 3) == 0,
	    "a frame");
	input_take(&in, whole);
	tap_ok(tap, frame_next(&in, &frame, &len, &whole) == FRAME_OK && len == 0 && whole == 1,
	    "an empty one");
	input_take(&in, whole);
	tap_ok(tap, frame_next(&in, &frame, &len, &whole) == FRAME_MORE,
	    "one that is not all here");
	input_take(&in, 2);
	tap_ok(tap, frame_next(&in, &frame, &len, &whole) == FRAME_MORE, "nothing left");
	input_free(&in);
	fill(&in, too_long, sizeof(too_long));
	tap_ok(
	    tap, frame_next(&in, &frame, &len, &whole) == FRAME_BAD, "a length over the cap");
	input_free(&in);
	fill(&in, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
	tap_ok(tap, frame_next(&in, &frame, &len, &whole) == FRAME_BAD,
	    "a length that is no varint");
	input_free(&in);
}

int
main(void)
{
	struct tap tap = {0};
	uint8_t bytes[FRAME_HEADER_MAX];
	uint64_t value;
	bool all = true;

	for (int shift = 0; shift < 64; shift++)
		all = all && header_round_trips(1ULL << shift) &&
		      header_round_trips((1ULL << shift) - 1) &&
		      header_round_trips(~0ULL >> shift);
	tap_ok(&tap, all, "varints round trip; each cut of one is incomplete");
	tap_ok(&tap, frame_header(300, bytes) == 2 && bytes[0] == 0xac && bytes[1] == 0x02,
	    "300 is ac 02, as the specification has it");
	tap_ok(&tap, frame_header(UINT64_MAX, bytes) == 10 && bytes[9] == 1,
	    "the largest takes ten bytes");
	tap_ok(&tap,
	    frame_varint(
		(const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, &value) == -1,
	    "more than 64 bits is none");
	frames(&tap);
	return tap_done(&tap);
}
