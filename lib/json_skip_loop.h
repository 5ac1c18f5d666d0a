/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of json_skip_container, compiled once per instruction set: see json_kernel.h. */

static KERNEL_TARGET int
KERNEL(skip_container)(struct json *j)
{
	struct block_state state = {0};
	struct nesting nesting;
	uint64_t high = 0;

	nesting.depth = 0;
	for (;;) {
		size_t left = (size_t)(j->end - j->p);
		const char *bytes = j->p;
		const char *wrong = NULL;
		uint64_t limit = ~0ULL;
		char tail[BLOCK];
		struct block b;

		if (left < BLOCK) {
			memset(tail, ' ', BLOCK);
			memcpy(tail, bytes, left);
			bytes = tail;
		}
		KERNEL(block)(bytes, &state, &b);
		for (uint64_t ops = b.open | b.close; ops != 0; ops &= ops - 1) {
			int at = __builtin_ctzll(ops);

			wrong = b.open >> at & 1 ? nesting_open(&nesting, bytes[at])
						 : nesting_close(&nesting, bytes[at]);
			if (wrong != NULL || nesting.depth == 0) {
				limit = ~0ULL >> (63 - at);
				break;
			}
		}
		high |= b.high & limit;
		if ((b.control | b.stray | b.escaped) & limit) {
			const char *bad = block_check(&b, limit, j->p, j->end);

			if (bad != NULL)
				wrong = bad;
		}
		if (wrong == NULL && nesting.depth > 0 && left <= BLOCK)
			wrong = truncated;
		if (wrong != NULL) {
			j->error = wrong;
			return -1;
		}
		if (nesting.depth == 0) {
			j->high |= high != 0;
			j->p += BLOCK - __builtin_clzll(limit);
			return 0;
		}
		j->p += BLOCK;
	}
}

static KERNEL_TARGET void
KERNEL(classify)(const char *p, struct block_state *state, struct block *b)
{
	KERNEL(block)(p, state, b);
}
