/* SPDX-License-Identifier: Apache-2.0 */
#include "timefmt.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "tap.h"

static bool
parses(const char *text, int64_t sec, long nsec)
{
	struct timespec t;

	return timefmt_parse(text, strlen(text), &t) == 0 && t.tv_sec == sec &&
	       t.tv_nsec == nsec;
}

/* Each day of years around the calendar's corners, and each half hour of some. */
static bool
round_trips(void)
{
	for (int64_t sec = -62135596800; sec < 253402300800; sec += 86400 * 13 + 1801) {
		struct timespec t = {.tv_sec = sec, .tv_nsec = (sec & 0xffff) * 1000};
		struct timespec back;
		char text[TIMEFMT_SIZE];

		timefmt_micro(t, text);
		if (strlen(text) != 27 || timefmt_parse(text, strlen(text), &back) == -1 ||
		    back.tv_sec != t.tv_sec || back.tv_nsec != t.tv_nsec)
			return false;
	}
	return true;
}

int
main(void)
{
	static const char *const bad[] = {"", "2026", "2026-11-23", "2026-11-23T10:15:00",
	    "2026-11-23 10:15:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
	    "2026-01-00T00:00:00Z", "2026-04-31T00:00:00Z", "2026-02-29T00:00:00Z",
	    "1900-02-29T00:00:00Z", "2024-02-30T00:00:00Z", "0000-01-01T00:00:00Z",
	    "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z",
	    "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.5", "2026-01-01T00:00:00,5Z",
	    "2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+24:00",
	    "2026-01-01T00:00:00+00:60", "2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00X",
	    "2026-01-01T00:00:00Z ", "+026-01-01T00:00:00Z", "2026-1-01T00:00:000Z",
	    "2026/01/01T00:00:00Z", "2026-01-01T-1:00:00Z", "nonsense"};
	struct tap tap = {0};
	struct timespec t = {.tv_sec = 1795428900, .tv_nsec = 123456789};
	char text[TIMEFMT_SIZE];
	char name[80];

	timefmt_micro(t, text);
	tap_ok(&tap, strcmp(text, "2026-11-23T10:15:00.123456Z") == 0,
	    "printed, cut to microseconds");
	tap_ok(&tap, round_trips(), "round trips from year 1 to 9999");
	tap_ok(&tap, parses("2026-11-23T10:15:00Z", 1795428900, 0), "as metav1.Time prints it");
	tap_ok(&tap,
	    parses("1970-01-01T00:00:00Z", 0, 0) &&
		parses("1969-12-31T23:59:59.5Z", -1, 500000000) &&
		parses("0001-01-01T00:00:00Z", -62135596800, 0) &&
		parses("9999-12-31T23:59:59Z", 253402300799, 0),
	    "the epoch, before it, and protobuf's first and last second");
	tap_ok(&tap,
	    parses("2024-02-29T12:00:00Z", 1709208000, 0) &&
		parses("2000-02-29T00:00:00Z", 951782400, 0),
	    "leap days");
	tap_ok(&tap,
	    parses("2026-11-23T12:15:00+02:00", 1795428900, 0) &&
		parses("2026-11-23T04:45:00-05:30", 1795428900, 0) &&
		parses("2026-11-23t10:15:00z", 1795428900, 0),
	    "offsets, and small letters");
	tap_ok(&tap,
	    parses("2026-11-23T10:15:00.000000001Z", 1795428900, 1) &&
		parses("2026-11-23T10:15:00.9Z", 1795428900, 900000000) &&
		parses("2026-11-23T10:15:00.1234567899Z", 1795428900, 123456789),
	    "fractions; nine digits count");
	tap_ok(&tap, parses("2016-12-31T23:59:60Z", 1483228800, 0),
	    "a leap second is the next one");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(name, sizeof(name), "refused: '%s'", bad[i]);
		tap_ok(&tap, timefmt_parse(bad[i], strlen(bad[i]), &t) == -1, name);
	}
	timefmt_now(text);
	tap_ok(
	    &tap, timefmt_parse(text, strlen(text), &t) == 0 && t.tv_sec >= 1700000000, "now");
	return tap_done(&tap);
}
