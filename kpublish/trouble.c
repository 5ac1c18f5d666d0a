/* SPDX-License-Identifier: Apache-2.0 */
#include "trouble.h"

#include <stdio.h>

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t
cause_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *text != '\0'; text++) {
		if (*text >= '0' && *text <= '9')
			continue;
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	}
	return hash;
}

bool
trouble_is_news(struct trouble *t, int64_t now_ms, const char *fmt, va_list ap)
{
	uint64_t cause;
	unsigned place = 0;

	vsnprintf(t->text, sizeof(t->text), fmt, ap);
	t->now = true;
	cause = cause_of(t->text);
	for (unsigned i = 0; i < t->tolds_count; i++) {
		if (t->tolds[i].cause == cause && now_ms - t->tolds[i].at_ms < TROUBLE_AGAIN_MS)
			return false;
		if (t->tolds[i].at_ms < t->tolds[place].at_ms)
			place = i;
	}
	if (t->tolds_count < TROUBLE_CAUSES)
		place = t->tolds_count++;
	else if (now_ms - t->tolds[place].at_ms < TROUBLE_AGAIN_MS)
		return false;
	t->tolds[place].cause = cause;
	t->tolds[place].at_ms = now_ms;
	t->told = true;
	return true;
}

bool
trouble_over(struct trouble *t)
{
	bool told = t->told;

	t->now = t->told = false;
	t->tolds_count = 0;
	return told;
}
