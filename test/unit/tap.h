/* SPDX-License-Identifier: Apache-2.0 */
/* Test Anything Protocol: https://testanything.org/tap-specification.html */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stdio.h>

struct tap {
	int run;
	int failed;
};

static inline bool
tap_ok(struct tap *tap, bool ok, const char *name)
{
	tap->run++;
	tap->failed += !ok;
	printf("%sok %d - %s\n", ok ? "" : "not ", tap->run, name);
	return ok;
}

/* The plan and the exit code. */
static inline int
tap_done(const struct tap *tap)
{
	printf("1..%d\n", tap->run);
	return tap->failed > 0;
}

#endif
