/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

size_t
frame_header(uint64_t n, uint8_t *out)
{
	size_t i = 0;

	while (n >= 0x80) {
		out[i++] = (uint8_t)(n | 0x80);
		n >>= 7;
	}
	out[i++] = (uint8_t)n;
	return i;
}

int
frame_varint(const uint8_t *p, size_t len, uint64_t *value)
{
	uint64_t v = 0;

	for (size_t i = 0; i < FRAME_HEADER_MAX; i++) {
		if (i == len)
			return 0;
		if (i == FRAME_HEADER_MAX - 1 && p[i] > 1) /* beyond 64 bits */
			return -1;
		v |= (uint64_t)(p[i] & 0x7f) << (7 * i);
		if (p[i] < 0x80) {
			*value = v;
			return (int)i + 1;
		}
	}
	return -1;
}

enum frame_result
frame_next(const struct input *in, const uint8_t **frame, size_t *len, size_t *whole)
{
	const uint8_t *p = (const uint8_t *)input_data(in);
	uint64_t n;
	int header = frame_varint(p, input_len(in), &n);

	if (header == -1)
		return FRAME_BAD;
	if (header == 0)
		return FRAME_MORE;
	if (n > INPUT_MAX)
		return FRAME_BAD;
	if (input_len(in) - (size_t)header < n)
		return FRAME_MORE;
	*frame = p + header;
	*len = (size_t)n;
	*whole = (size_t)header + (size_t)n;
	return FRAME_OK;
}
