/* SPDX-License-Identifier: Apache-2.0 */
#include "kdiff/rv.h"

#include <string.h>

#include "tap.h"

static enum rv_order
order(const char *a, const char *b)
{
	return rv_compare((struct bytes){a, strlen(a)}, (struct bytes){b, strlen(b)});
}

int
main(void)
{
	struct tap tap = {0};

	tap_ok(&tap, order("9", "10") == RV_OLDER && order("10", "9") == RV_NEWER,
	    "by length first");
	tap_ok(&tap, order("123", "124") == RV_OLDER && order("200", "199") == RV_NEWER,
	    "then by bytes");
	tap_ok(&tap,
	    order("7", "7") == RV_EQUAL && order("", "") == RV_EQUAL &&
		order("x", "x") == RV_EQUAL,
	    "equal");
	tap_ok(&tap,
	    order("99999999999999999999999999999999", "100000000000000000000000000000000") ==
		RV_OLDER,
	    "numbers of any size");
	tap_ok(&tap, order("18446744073709551616", "1") == RV_NEWER, "beyond 64 bits");
	tap_ok(&tap,
	    order("a", "b") == RV_UNORDERED && order("b", "a") == RV_UNORDERED &&
		order("12a", "13") == RV_UNORDERED && order("-1", "1") == RV_UNORDERED &&
		order("1.5", "2") == RV_UNORDERED && order("", "1") == RV_UNORDERED,
	    "what is no number has no order");
	tap_ok(&tap, order("007", "7") == RV_UNORDERED && order("0", "1") == RV_UNORDERED,
	    "nor has one with a leading zero");
	tap_ok(&tap, rv_compare((struct bytes){NULL, 0}, (struct bytes){NULL, 0}) == RV_EQUAL,
	    "none and none");
	return tap_done(&tap);
}
