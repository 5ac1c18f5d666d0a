/* SPDX-License-Identifier: Apache-2.0 */
#define XXH_STATIC_LINKING_ONLY /* for a state on the stack */
#include "fingerprint.h"

#include <xxhash.h>

#include "store.h"

void
fingerprint(const struct object *o, uint64_t hash[2])
{
	struct bytes a = {o->resource_version.p, o->resource_version.len};
	struct bytes b = {o->managed_fields.p, o->managed_fields.len};
	const char *p = o->bytes.p;
	const char *end = p + o->bytes.len;
	XXH3_state_t state;
	XXH128_hash_t h;

	if (b.p != NULL && b.p < a.p) {
		struct bytes swap = a;

		a = b;
		b = swap;
	}
	XXH3_128bits_reset(&state);
	XXH3_128bits_update(&state, p, (size_t)(a.p - p));
	p = a.p + a.len;
	if (b.p != NULL) {
		XXH3_128bits_update(&state, p, (size_t)(b.p - p));
		p = b.p + b.len;
	}
	XXH3_128bits_update(&state, p, (size_t)(end - p));
	h = XXH3_128bits_digest(&state);
	hash[0] = h.low64;
	hash[1] = h.high64;
}
