/* SPDX-License-Identifier: Apache-2.0 */
/* The wire format of protobuf, a field at a time, without copying.
 * Source: https://protobuf.dev/programming-guides/encoding/ */
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>
#include <stdint.h>

enum { WIRE_VARINT = 0, WIRE_I64 = 1, WIRE_LEN = 2, WIRE_I32 = 5 };

struct wire_field {
	const uint8_t *begin; /* the field with its tag; it ends where the next one begins */
	uint64_t number;
	unsigned type;
	uint64_t n;       /* WIRE_VARINT: its value */
	const uint8_t *p; /* the others: their bytes */
	size_t len;
};

/* The field at *p, stepped over; it borrows the bytes. 0, or -1: this is not the wire format
 * (or holds a group, which no message of ours does). */
int wire_next(const uint8_t **p, const uint8_t *end, struct wire_field *f);

#endif
