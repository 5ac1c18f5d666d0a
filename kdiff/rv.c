/* SPDX-License-Identifier: Apache-2.0 */
#include "rv.h"

#include <string.h>

static bool
is_decimal(struct bytes v)
{
	if (v.len == 0 || v.p[0] == '0')
		return false;
	for (size_t i = 0; i < v.len; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	}
	return true;
}

enum rv_order
rv_compare(struct bytes a, struct bytes b)
{
	int order;

	if (a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0))
		return RV_EQUAL;
	if (!is_decimal(a) || !is_decimal(b))
		return RV_UNORDERED;
	if (a.len != b.len)
		return a.len < b.len ? RV_OLDER : RV_NEWER;
	order = memcmp(a.p, b.p, a.len);
	return order < 0 ? RV_OLDER : RV_NEWER;
}
