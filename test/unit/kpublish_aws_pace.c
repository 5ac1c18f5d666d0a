/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/aws_pace.h"

#include "tap.h"

int
main(void)
{
	struct tap tap = {0, 0};
	struct aws_pace p;
	int wait;

	aws_pace_init(&p, 16);
	tap_ok(
	    &tap, p.allowed == 16 && !p.paused && aws_pace_timeout_ms(&p, 0) == -1, "at first");
	aws_pace_failed(&p, 1000, 0);
	wait = aws_pace_timeout_ms(&p, 1000);
	tap_ok(&tap, p.allowed == 8 && p.paused && wait >= 20 && wait <= 120, "a failure");
	aws_pace_failed(&p, 1001, 0);
	tap_ok(&tap, p.allowed == 8 && p.failures == 1 && aws_pace_timeout_ms(&p, 1000) == wait,
	    "within the pause no other counts");
	aws_pace_wake(&p, 1000);
	tap_ok(&tap, p.paused, "it lasts");
	tap_ok(&tap, aws_pace_timeout_ms(&p, 2000) == 0, "until its end is seen");
	aws_pace_wake(&p, 2000);
	tap_ok(&tap, !p.paused && aws_pace_timeout_ms(&p, 2000) == -1, "and is over");
	aws_pace_failed(&p, 2000, 5000);
	tap_ok(&tap, p.allowed == 4 && p.failures == 2 && aws_pace_timeout_ms(&p, 2000) == 5000,
	    "as long as the service says");
	aws_pace_wake(&p, 9000);
	for (int i = 0; i < 5; i++) {
		aws_pace_failed(&p, 9000, 0);
		aws_pace_wake(&p, 99000);
	}
	tap_ok(&tap, p.allowed == 1, "never less than one");
	aws_pace_succeeded(&p);
	tap_ok(&tap, p.allowed == 2 && p.failures == 0, "a success");
	for (int i = 0; i < 2 + 3; i++)
		aws_pace_succeeded(&p);
	tap_ok(&tap, p.allowed == 4, "one more a round");
	for (int i = 0; i < 1000; i++)
		aws_pace_succeeded(&p);
	tap_ok(&tap, p.allowed == 16, "up to all");
	return tap_done(&tap);
}
