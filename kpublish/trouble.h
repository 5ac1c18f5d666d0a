/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with the bus now, and when people have to be told. */
#ifndef TROUBLE_H
#define TROUBLE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	TROUBLE_MAX = 512,
	TROUBLE_CAUSES = 4,      /* that are told apart, and so many are said within a minute */
	TROUBLE_AGAIN_MS = 60000 /* what lasts is said again */
};

struct trouble {
	bool now;  /* something is wrong, and nothing has been acked since */
	bool told; /* and people know */
	struct {
		uint64_t cause;
		int64_t at_ms;
	} tolds[TROUBLE_CAUSES];
	unsigned tolds_count;
	char text[TROUBLE_MAX];
};

/* Something is wrong: says what, in t->text. Returns whether people are to be told, which is at once for a
 * cause that is new, and then once a minute. Causes are the same when their texts differ in numbers alone. */
bool trouble_is_news(struct trouble *t, int64_t now_ms, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

/* A message was accepted. Returns whether there was trouble that people know of. */
bool trouble_over(struct trouble *t);

#endif
