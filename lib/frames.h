/* SPDX-License-Identifier: Apache-2.0 */
/* Length-delimited protobuf frames: varint length, then that many bytes.
 * Source: protobuf's writeDelimitedTo / protodelim; varints:
 * https://protobuf.dev/programming-guides/encoding/#varints */
#ifndef FRAMES_H
#define FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "input.h"

enum { FRAME_HEADER_MAX = 10 }; /* bytes of the longest varint */

enum frame_result {
	FRAME_OK,   /* *frame, *len; take it with input_take(in, *whole) */
	FRAME_MORE, /* not all here yet: input_fill */
	FRAME_BAD, /* the length is no varint, or is over INPUT_MAX: there is no way to go on */
};

/* The next frame at the front of the input: its body, the body's length, and both with the
 * header. Borrowed until the next input_fill. */
enum frame_result frame_next(
    const struct input *in, const uint8_t **frame, size_t *len, size_t *whole);

/* Writes n as a varint; returns its length. out has room for FRAME_HEADER_MAX. */
size_t frame_header(uint64_t n, uint8_t *out);

/* Reads a varint of at most len bytes; its length, 0 if it is incomplete, -1 if it is none. */
int frame_varint(const uint8_t *p, size_t len, uint64_t *value);

#endif
