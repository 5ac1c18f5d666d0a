/* SPDX-License-Identifier: Apache-2.0 */
#include "json_skip.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

/* The kernel that any machine has; the faster one comes further down. */
#define KERNEL_AVX2 0
#include "json_kernel.h"

static const char truncated[] = "ends within a value";
static const char bad_string[] = "control character in a string";
static const char bad_escape[] = "invalid escape in a string";
static const char bad_token[] = "invalid byte outside a string";
static const char bad_nesting[] = "bracket closed by one of another kind";
static const char too_deep[] = "nested too deep (10000 levels)";

size_t
json_escape_len(const char *p, const char *end)
{
	if (p == end)
		return 0;
	switch (*p) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return 1;
	case 'u':
		break;
	default:
		return 0;
	}
	if (end - p < 5)
		return 0;
	for (int i = 1; i < 5; i++) {
		if (!isxdigit((unsigned char)p[i]))
			return 0;
	}
	return 5;
}

/* The kinds of the brackets that are open: a bit each, set for '{'. */
struct nesting {
	unsigned depth;
	uint64_t kinds[JSON_DEPTH / 64 + 1];
};

static inline const char *
nesting_open(struct nesting *n, char bracket)
{
	uint64_t bit = 1ULL << (n->depth % 64);
	uint64_t *word = &n->kinds[n->depth / 64];

	if (n->depth == JSON_DEPTH)
		return too_deep;
	if (n->depth % 64 == 0)
		*word = 0;
	*word = bracket == '{' ? *word | bit : *word & ~bit;
	n->depth++;
	return NULL;
}

static inline const char *
nesting_close(struct nesting *n, char bracket)
{
	assert(n->depth > 0);
	n->depth--;
	if ((n->kinds[n->depth / 64] >> (n->depth % 64) & 1) != (bracket == '}'))
		return bad_nesting;
	return NULL;
}

/* The rare things of a block, looked at only where a mask says that there are any: limit has
 * the bits of the bytes that belong to the container. p is the block's place in the text. */
static const char *
block_check(const struct block *b, uint64_t limit, const char *p, const char *end)
{
	uint64_t escapes = b->escaped & b->in_string & limit;

	if (b->control & b->in_string & limit)
		return bad_string;
	if (b->stray & limit)
		return bad_token;
	for (uint64_t c = b->control & limit; c != 0; c &= c - 1) {
		if (!isspace((unsigned char)p[__builtin_ctzll(c)]) ||
		    p[__builtin_ctzll(c)] == '\v' || p[__builtin_ctzll(c)] == '\f')
			return bad_token;
	}
	for (; escapes != 0; escapes &= escapes - 1) {
		if (json_escape_len(p + __builtin_ctzll(escapes), end) == 0)
			return bad_escape;
	}
	return NULL;
}

#include "json_skip_loop.h"
#undef KERNEL_AVX2

#ifdef __x86_64__
#define KERNEL_AVX2 1
#include "json_kernel.h"
#include "json_skip_loop.h"
#undef KERNEL_AVX2
#endif

#ifdef __x86_64__
static inline bool
has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
	       __builtin_cpu_supports("pclmul");
}
#endif

int
json_skip_container(struct json *j)
{
#ifdef __x86_64__
	if (has_avx2())
		return skip_container_avx2(j);
#endif
	return skip_container_base(j);
}

void
json_classify(const char *p, size_t n, struct block_state *state, struct block *b)
{
	char padded[BLOCK];

	if (n < BLOCK) {
		memset(padded, ' ', BLOCK);
		memcpy(padded, p, n);
		p = padded;
	}
#ifdef __x86_64__
	if (has_avx2())
		classify_avx2(p, state, b);
	else
#endif
		classify_base(p, state, b);
	if (n < BLOCK) /* an escaped byte at n is the next call's first, not our padding */
		state->escaped = b->escaped >> n & 1;
}

/* The first byte of p, up to end, that ends or breaks a run of plain string bytes. */
static inline const char *
plain_run(const char *p, const char *end, bool *high)
{
#ifdef __SSE2__
	for (; end - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i_u *)(const void *)p);
		__m128i special = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
		    _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')),
			_mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v)));
		int found = _mm_movemask_epi8(special);

		*high |= _mm_movemask_epi8(v) != 0;
		if (found != 0)
			return p + __builtin_ctz((unsigned)found);
	}
#endif
	for (; p < end; p++) {
		unsigned char c = (unsigned char)*p;

		*high |= c > 0x7f;
		if (c == '"' || c == '\\' || c < 0x20)
			break;
	}
	return p;
}

int
json_skip_string(struct json *j, bool *escaped)
{
	const char *p = j->p;

	*escaped = false;
	for (;;) {
		size_t n;

		p = plain_run(p, j->end, &j->high);
		if (p == j->end) {
			j->error = truncated;
			break;
		}
		if (*p == '"') {
			j->p = p + 1;
			return 0;
		}
		if (*p != '\\') {
			j->error = bad_string;
			break;
		}
		*escaped = true;
		n = json_escape_len(p + 1, j->end);
		if (n == 0) {
			j->error = bad_escape;
			break;
		}
		p += 1 + n;
	}
	j->p = p;
	return -1;
}
