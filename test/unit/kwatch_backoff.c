/* SPDX-License-Identifier: Apache-2.0 */
#include "kwatch/backoff.h"
#include "tap.h"

int
main(void)
{
	struct tap tap = {0, 0};
	struct backoff b = {0, 0};
	int64_t limits[] = {800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
	int64_t now = 1000;
	int64_t wait = 0;
	bool within = true;
	bool doubled = true;
	int64_t least = INT64_MAX;
	int64_t most = 0;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		wait = backoff_next(&b, now, 0);
		doubled &= b.limit_ms == limits[i];
		within &= wait >= 1 && wait <= limits[i];
		now += wait;
	}
	tap_ok(&tap, doubled, "the limit doubles from 0.8 s to 30 s");
	tap_ok(&tap, within, "each wait is within its limit");
	for (int i = 0; i < 200; i++) {
		wait = backoff_next(&b, now, 0);
		least = wait < least ? wait : least;
		most = wait > most ? wait : most;
	}
	tap_ok(
	    &tap, least < 5000 && most > 25000, "full jitter: waits are spread over all of it");
	now = b.until_ms + BACKOFF_HEALTHY_MS - 1;
	backoff_next(&b, now, 0);
	tap_ok(
	    &tap, b.limit_ms == BACKOFF_MAX_MS, "not forgotten before two minutes of health");
	now = b.until_ms + BACKOFF_HEALTHY_MS;
	backoff_next(&b, now, 0);
	tap_ok(&tap, b.limit_ms == BACKOFF_FIRST_MS, "forgotten after two minutes of health");
	wait = backoff_next(&b, now, 60000);
	tap_ok(
	    &tap, wait > 60000 && wait <= 61600, "what the server asks for is waited at least");
	tap_ok(&tap, b.until_ms == now + wait, "health begins when the wait is over");
	return tap_done(&tap);
}
