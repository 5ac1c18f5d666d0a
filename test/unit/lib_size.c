/* SPDX-License-Identifier: Apache-2.0 */
#include "size.h"

#include "tap.h"

static bool
is(const char *text, uint64_t want)
{
	uint64_t size = 0;

	return size_parse(text, &size) && size == want;
}

static bool
fails(const char *text)
{
	uint64_t size;

	return !size_parse(text, &size);
}

int
main(void)
{
	struct tap tap = {0};

	tap_ok(&tap, is("0", 0) && is("500", 500) && is("18446744073709551615", UINT64_MAX),
	    "bytes");
	tap_ok(&tap,
	    is("64K", 65536) && is("100MiB", 104857600) && is("2G", 2147483648) &&
		is("1TiB", 1099511627776),
	    "units");
	tap_ok(&tap,
	    fails("") && fails("-1") && fails(" 1") && fails("+1") && fails("K") &&
		fails("1k") && fails("1MB") && fails("1Mi") && fails("1 M") && fails("1MiBs"),
	    "what is none");
	tap_ok(&tap, fails("18446744073709551616") && fails("16777216T"), "beyond 64 bits");
	return tap_done(&tap);
}
