/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels agree: the one for AVX2, the one for SSE2, and the one in plain C, which is what
 * other machines run. The source is included under other names, to call each whatever the
 * machine. */
#define json_skip_container test_skip_container
#define json_skip_string    test_skip_string
#define json_escape_len     test_escape_len
#define json_classify       test_classify
#include "lib/json_skip.c" /* NOLINT(bugprone-suspicious-include) */

#undef __SSE2__
#define KERNEL_AVX2         0
#define block_base          block_plain
#define skip_container_base skip_container_plain
#define classify_base       classify_plain
#include "lib/json_kernel.h"

#include "lib/json_skip_loop.h"
#undef block_base
#undef skip_container_base
#undef classify_base

#include "tap.h"

struct kernel {
	const char *name;
	bool usable;
	int (*skip)(struct json *j);
	void (*classify)(const char *p, struct block_state *state, struct block *b);
};

static uint32_t
random_next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Text of JSON's own bytes, so that much of it is nearly right. */
static void
random_text(char *text, size_t len, uint32_t *seed)
{
	static const char bytes[] =
	    "{}[]{}[]\"\"\"\"\\\\\\,: \n\tu00e4x1\x01\x80\xc3\xa4\x7f\x1f !";

	for (size_t i = 0; i < len; i++)
		text[i] = bytes[random_next(seed) % (sizeof(bytes) - 1)];
}

static bool
same_block(const struct block *a, const struct block *b)
{
	return a->open == b->open && a->close == b->close && a->in_string == b->in_string &&
	       a->escaped == b->escaped && a->stray == b->stray && a->control == b->control &&
	       a->space == b->space && a->high == b->high;
}

static bool
classify_agrees(const struct kernel *a, const struct kernel *b)
{
	char text[BLOCK];
	uint32_t seed = 1;

	for (int i = 0; i < 200000; i++) {
		struct block_state sa = {
		    random_next(&seed) & 1 ? ~0ULL : 0, random_next(&seed) & 1};
		struct block_state sb = sa;
		struct block ba;
		struct block bb;

		random_text(text, sizeof(text), &seed);
		if (i % 64 == 0) /* one long run of backslashes */
			memset(text + random_next(&seed) % 32, '\\', random_next(&seed) % 33);
		a->classify(text, &sa, &ba);
		b->classify(text, &sb, &bb);
		if (!same_block(&ba, &bb) || sa.in_string != sb.in_string ||
		    sa.escaped != sb.escaped)
			return false;
	}
	return true;
}

/* Byte by byte, as the standard says it: what json_skip_container must find. */
static bool
simple_skip(const char *p, const char *end, const char **behind)
{
	char open[400] = {0};
	size_t depth = 0;
	bool in_string = false;

	for (; p < end; p++) {
		if (in_string) {
			if (*p == '\\') {
				size_t n = test_escape_len(p + 1, end);

				if (n == 0)
					return false;
				p += n;
			} else if ((unsigned char)*p < 0x20) {
				return false;
			} else if (*p == '"') {
				in_string = false;
			}
		} else if (*p == '"') {
			in_string = true;
		} else if (*p == '{' || *p == '[') {
			open[depth++] = *p;
		} else if (*p == '}' || *p == ']') {
			if (open[--depth] != (*p == '}' ? '{' : '['))
				return false;
			if (depth == 0) {
				*behind = p + 1;
				return true;
			}
		} else if (*p == '\\' ||
			   ((unsigned char)*p < 0x20 && strchr("\t\n\r", *p) == NULL) ||
			   *p == '\0') {
			return false;
		}
	}
	return false;
}

static bool
skip_agrees(const struct kernel *k, int *accepted)
{
	uint32_t seed = 7;
	char text[300];

	*accepted = 0;
	for (int i = 0; i < 200000; i++) {
		size_t len = 1 + random_next(&seed) % (sizeof(text) - 1);
		const char *behind = NULL;
		struct json j;
		bool good;

		random_text(text, len, &seed);
		text[0] = random_next(&seed) & 1 ? '{' : '[';
		if (i % 2 == 0 && len > 8) { /* mostly one string, so that many end well */
			memset(text + 1, 'x', len - 2);
			text[1] = text[len - 2] = '"';
			text[1 + random_next(&seed) % (len - 2)] =
			    "\\u\"{]x"[random_next(&seed) % 6];
			text[len - 1] = text[0] == '{' ? '}' : ']';
		}
		good = simple_skip(text, text + len, &behind);
		json_init(&j, text, len);
		if ((k->skip(&j) == 0) != good || (good && j.p != behind) ||
		    (!good && j.error == NULL))
			return false;
		*accepted += good;
	}
	return true;
}

int
main(void)
{
	struct tap tap = {0};
	const struct kernel kernels[] = {
	    {"plain C", true, skip_container_plain, classify_plain},
#ifdef __x86_64__
	    {"SSE2", true, skip_container_base, classify_base},
	    {"AVX2", has_avx2(), skip_container_avx2, classify_avx2},
#endif
	};

	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		const struct kernel *k = &kernels[i];
		char name[120];
		int accepted;
		bool ok;

		if (!k->usable) {
			snprintf(
			    name, sizeof(name), "%s # SKIP this machine lacks it", k->name);
			tap_ok(&tap, true, name);
			continue;
		}
		ok = skip_agrees(k, &accepted);
		snprintf(name, sizeof(name),
		    "%s skips what byte-by-byte reading skips (%d of 200000 good)", k->name,
		    accepted);
		tap_ok(&tap, ok && accepted > 20000, name);
		snprintf(name, sizeof(name), "%s classifies as plain C does", k->name);
		tap_ok(&tap, classify_agrees(&kernels[0], k), name);
	}
	return tap_done(&tap);
}
