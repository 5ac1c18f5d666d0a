/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include "frames.h"

int
wire_next(const uint8_t **p, const uint8_t *end, struct wire_field *f)
{
	uint64_t tag;
	uint64_t n;
	int got = frame_varint(*p, (size_t)(end - *p), &tag);

	if (got <= 0 || tag >> 3 == 0 || tag > UINT32_MAX)
		return -1;
	*f = (struct wire_field){.begin = *p, .number = tag >> 3, .type = tag & 7};
	*p += got;
	if (f->type == WIRE_VARINT || f->type == WIRE_LEN) {
		got = frame_varint(*p, (size_t)(end - *p), &n);
		if (got <= 0)
			return -1;
		*p += got;
	} else if (f->type == WIRE_I64 || f->type == WIRE_I32) {
		n = f->type == WIRE_I64 ? 8 : 4;
	} else {
		return -1;
	}
	if (f->type == WIRE_VARINT) {
		f->n = n;
		return 0;
	}
	if (n > (uint64_t)(end - *p))
		return -1;
	f->p = *p;
	f->len = (size_t)n;
	*p += n;
	return 0;
}
