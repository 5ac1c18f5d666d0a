/* SPDX-License-Identifier: Apache-2.0 */
/* Sixty-four bytes of JSON at once: which of them are quotes, brackets, white space, and which
 * lie within strings. The method is that of Langdale and Lemire, "Parsing Gigabytes of JSON per
 * Second" (VLDB 2019), section 3.1.
 *
 * Included once per instruction set by the files that loop over blocks, so that the loop itself
 * is compiled for it. Before including, define KERNEL_AVX2 to 1 or 0; the including file gets
 *	KERNEL_TARGET     the function attribute for code that calls the kernel
 *	struct block and its state, from json_block.h
 *	KERNEL(block)     (bytes, state, block): classifies 64 bytes and moves the state on
 */
#ifndef JSON_KERNEL_ONCE
#define JSON_KERNEL_ONCE

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "json_block.h"

/* The bytes that an odd-length run of backslashes makes escaped. */
static inline uint64_t
block_escaped(uint64_t backslash, struct block_state *state)
{
	const uint64_t even = 0x5555555555555555ULL;
	uint64_t follows;
	uint64_t odd_starts;
	uint64_t sum;

	if (backslash == 0) {
		follows = state->escaped;
		state->escaped = 0;
		return follows;
	}
	backslash &= ~state->escaped;
	follows = backslash << 1 | state->escaped;
	/* Adding a run's start to the run carries out one past its end; whether that end is at
	 * an even or an odd distance tells whether the byte there is escaped. */
	odd_starts = backslash & ~even & ~follows;
	state->escaped = __builtin_add_overflow(odd_starts, backslash, &sum);
	return (even ^ (sum << 1)) & follows;
}

/* Bit i: the parity of the bits 0 to i. */
static inline uint64_t
block_prefix_xor(uint64_t bits)
{
	for (int shift = 1; shift < BLOCK; shift *= 2)
		bits ^= bits << shift;
	return bits;
}

/* What all instruction sets do once the bytes are compared. quotes_xor: the prefix_xor of the
 * quotes that begin or end a string. */
static inline __attribute__((always_inline)) void
block_finish(uint64_t quotes_xor, uint64_t backslash, uint64_t low, struct block_state *state,
    struct block *b)
{
	b->in_string = quotes_xor ^ state->in_string;
	state->in_string = 0 - (b->in_string >> 63);
	b->open &= ~b->in_string;
	b->close &= ~b->in_string;
	b->stray = backslash & ~b->in_string;
	b->space = low & ~b->in_string;
}
#endif /* JSON_KERNEL_ONCE */

#undef KERNEL_TARGET
#undef KERNEL
#if KERNEL_AVX2
#define KERNEL_TARGET __attribute__((target("avx2,bmi,pclmul")))
#define KERNEL(name)  name##_avx2

#define MASK2(a, c)                                    \
	((uint64_t)(uint32_t)_mm256_movemask_epi8(a) | \
	    (uint64_t)(uint32_t)_mm256_movemask_epi8(c) << 32)
#define EQ2(a, c, byte)                                     \
	MASK2(_mm256_cmpeq_epi8(a, _mm256_set1_epi8(byte)), \
	    _mm256_cmpeq_epi8(c, _mm256_set1_epi8(byte)))
/* x <= byte, unsigned: the smaller of the two is x itself */
#define LE2(a, c, byte)                                                         \
	MASK2(_mm256_cmpeq_epi8(_mm256_min_epu8(a, _mm256_set1_epi8(byte)), a), \
	    _mm256_cmpeq_epi8(_mm256_min_epu8(c, _mm256_set1_epi8(byte)), c))

static inline __attribute__((always_inline)) KERNEL_TARGET void
KERNEL(block)(const char *p, struct block_state *state, struct block *b)
{
	__m256i v0 = _mm256_loadu_si256((const __m256i_u *)(const void *)p);
	__m256i v1 = _mm256_loadu_si256((const __m256i_u *)(const void *)(p + 32));
	/* '[' and '{', ']' and '}' differ in the bit 0x20 alone */
	__m256i w0 = _mm256_or_si256(v0, _mm256_set1_epi8(0x20));
	__m256i w1 = _mm256_or_si256(v1, _mm256_set1_epi8(0x20));
	uint64_t backslash;
	__m128i quotes;

	b->open = EQ2(w0, w1, '{');
	b->close = EQ2(w0, w1, '}');
	b->control = LE2(v0, v1, 0x1f);
	b->high = MASK2(v0, v1);
	backslash = EQ2(v0, v1, '\\');
	b->escaped = block_escaped(backslash, state);
	/* A carry-less product with all ones is the prefix xor. */
	quotes = _mm_clmulepi64_si128(
	    _mm_set_epi64x(0, (int64_t)(EQ2(v0, v1, '"') & ~b->escaped)), _mm_set1_epi8(-1), 0);
	block_finish(
	    (uint64_t)_mm_cvtsi128_si64(quotes), backslash, LE2(v0, v1, 0x20), state, b);
}
#undef MASK2
#undef EQ2
#undef LE2

#elif defined(__SSE2__)
#define KERNEL_TARGET
#define KERNEL(name) name##_base

static inline uint64_t
mask4(__m128i a, __m128i b, __m128i c, __m128i d)
{
	return (uint64_t)(uint32_t)_mm_movemask_epi8(a) |
	       (uint64_t)(uint32_t)_mm_movemask_epi8(b) << 16 |
	       (uint64_t)(uint32_t)_mm_movemask_epi8(c) << 32 |
	       (uint64_t)(uint32_t)_mm_movemask_epi8(d) << 48;
}

static inline uint64_t
eq4(const __m128i v[4], char byte)
{
	__m128i x = _mm_set1_epi8(byte);

	return mask4(_mm_cmpeq_epi8(v[0], x), _mm_cmpeq_epi8(v[1], x), _mm_cmpeq_epi8(v[2], x),
	    _mm_cmpeq_epi8(v[3], x));
}

static inline uint64_t
le4(const __m128i v[4], char byte)
{
	__m128i x = _mm_set1_epi8(byte);

	return mask4(_mm_cmpeq_epi8(_mm_min_epu8(v[0], x), v[0]),
	    _mm_cmpeq_epi8(_mm_min_epu8(v[1], x), v[1]),
	    _mm_cmpeq_epi8(_mm_min_epu8(v[2], x), v[2]),
	    _mm_cmpeq_epi8(_mm_min_epu8(v[3], x), v[3]));
}

static inline __attribute__((always_inline)) void
KERNEL(block)(const char *p, struct block_state *state, struct block *b)
{
	__m128i v[4];
	__m128i w[4];
	uint64_t backslash;

	for (size_t i = 0; i < 4; i++) {
		v[i] = _mm_loadu_si128((const __m128i_u *)(const void *)(p + 16 * i));
		w[i] = _mm_or_si128(v[i], _mm_set1_epi8(0x20));
	}
	b->open = eq4(w, '{');
	b->close = eq4(w, '}');
	b->control = le4(v, 0x1f);
	b->high = mask4(v[0], v[1], v[2], v[3]);
	backslash = eq4(v, '\\');
	b->escaped = block_escaped(backslash, state);
	block_finish(
	    block_prefix_xor(eq4(v, '"') & ~b->escaped), backslash, le4(v, 0x20), state, b);
}

#else /* any machine */
#define KERNEL_TARGET
#define KERNEL(name) name##_base

static inline __attribute__((always_inline)) void
KERNEL(block)(const char *p, struct block_state *state, struct block *b)
{
	uint64_t quote = 0;
	uint64_t backslash = 0;
	uint64_t low = 0;

	*b = (struct block){0};
	for (int i = 0; i < BLOCK; i++) {
		unsigned char c = (unsigned char)p[i];

		quote |= (uint64_t)(c == '"') << i;
		backslash |= (uint64_t)(c == '\\') << i;
		low |= (uint64_t)(c <= 0x20) << i;
		b->open |= (uint64_t)((c | 0x20) == '{') << i;
		b->close |= (uint64_t)((c | 0x20) == '}') << i;
		b->control |= (uint64_t)(c < 0x20) << i;
		b->high |= (uint64_t)(c > 0x7f) << i;
	}
	b->escaped = block_escaped(backslash, state);
	block_finish(block_prefix_xor(quote & ~b->escaped), backslash, low, state, b);
}
#endif
