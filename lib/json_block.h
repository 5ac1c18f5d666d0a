/* SPDX-License-Identifier: Apache-2.0 */
/* Sixty-four bytes of JSON classified: what json_kernel.h computes. */
#ifndef JSON_BLOCK_H
#define JSON_BLOCK_H

#include <stddef.h>
#include <stdint.h>

enum { BLOCK = 64 };

/* What one block hands to the next. Zeroed at a place outside strings. */
struct block_state {
	uint64_t in_string; /* all ones while within a string */
	uint64_t escaped;   /* 1 when the next byte is escaped */
};

/* One bit a byte, the first byte in bit 0. */
struct block {
	uint64_t open;      /* { [ outside strings */
	uint64_t close;     /* } ] outside strings */
	uint64_t in_string; /* from an opening quote up to before the closing one */
	uint64_t escaped;   /* the byte after an escaping backslash */
	uint64_t stray;     /* backslashes outside strings */
	uint64_t control;   /* below 0x20 */
	uint64_t space;     /* 0x20 or below, outside strings */
	uint64_t high;      /* over 0x7f */
};

/* Classifies the first n <= BLOCK bytes of p; bits from n up are those of white space. state:
 * as the call for the bytes before left it. */
void json_classify(const char *p, size_t n, struct block_state *state, struct block *b);

#endif
