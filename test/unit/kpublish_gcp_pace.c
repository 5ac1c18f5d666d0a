/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/gcp_pace.h"

#include "tap.h"

int
main(void)
{
	struct tap tap = {0};
	struct gcp_pace p;

	gcp_pace_init(&p, 64);
	tap_ok(&tap, gcp_pace_allows(&p, 63, 0) && !gcp_pace_allows(&p, 64, 0), "the most");
	gcp_pace_bad(&p, 1000, 900, 0);
	tap_ok(&tap, p.limit == 16 && p.failures == 1, "a failure: a quarter");
	tap_ok(&tap, p.resume_ms >= 1000 && p.resume_ms <= 1100, "after a pause");
	gcp_pace_bad(&p, 1010, 950, 0);
	gcp_pace_bad(&p, 1020, 1000, 5000);
	tap_ok(&tap, p.limit == 16 && p.failures == 1 && p.resume_ms <= 1100,
	    "those that were under way with it are the same failure");
	gcp_pace_bad(&p, 2000, 1200, 5000);
	tap_ok(&tap, p.limit == 4 && p.failures == 2, "another one");
	tap_ok(&tap,
	    p.resume_ms == 7000 && !gcp_pace_allows(&p, 0, 6999) &&
		gcp_pace_allows(&p, 0, 7000),
	    "the server may ask for a longer pause");
	gcp_pace_bad(&p, 8000, 7500, 0);
	gcp_pace_bad(&p, 9000, 8500, 0);
	tap_ok(&tap, p.limit == 1 && gcp_pace_allows(&p, 0, 100000), "one is always tried");
	for (int i = 0; i < 100; i++)
		gcp_pace_good(&p);
	tap_ok(&tap, p.limit == 64 && p.failures == 0, "successes: all, again");
	return tap_done(&tap);
}
