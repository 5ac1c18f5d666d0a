/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "backoff.h"

enum {
	RETRY_BASE_MS = 100,
	RETRY_MAX_MS = 30000,
	TELL_AGAIN_MS = 60000,
};

int64_t
core_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
acked(struct core *c, struct message *m)
{
	c->counts[COUNT_ACKED].value++;
	c->counts[COUNT_BYTES].value += m->len;
	c->counts[COUNT_LAST_SUCCESS].value = (uint64_t)time(NULL);
	c->progress_ms = core_now_ms();
	window_done(c->window, m);
	if (c->trouble.told)
		log_info(&c->tool->log, "%s: accepts messages again", c->shown);
	c->trouble.now = c->trouble.told = false;
}

static void trouble(void *core, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
trouble(void *core, const char *fmt, ...)
{
	struct core *c = core;
	struct trouble *t = &c->trouble;
	int64_t now = core_now_ms();
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->text, sizeof(t->text), fmt, ap);
	va_end(ap);
	if (!t->told || now - t->told_ms >= TELL_AGAIN_MS) {
		log_warning(&c->tool->log, "%s: %s (retrying)", c->shown, t->text);
		t->told = true;
		t->told_ms = now;
	}
	t->now = true;
}

static void
retry(struct core *c, struct message *m, const char *why)
{
	int wait = backoff_ms(window_attempts(m), RETRY_BASE_MS, RETRY_MAX_MS);

	c->counts[COUNT_RETRIES].value++;
	if (why != NULL)
		trouble(c, "%s", why);
	window_retry(c->window, m, core_now_ms() + wait);
}

/* Names a message that can never be published. */
static void
tell_rejected(
    const struct core *c, const struct message *m, const char *why, const char *outcome)
{
	log_error(&c->tool->log,
	    "%s: message %.*s (%.*s %.*s%s%.*s, seq %" PRIu64 ", %zu bytes): %s%s", c->shown,
	    (int)m->id.len, m->id.p, (int)m->kind.len, m->kind.p, (int)m->ns.len, m->ns.p,
	    m->ns.len > 0 ? "/" : "", (int)m->name.len, m->name.p, m->seq, m->len, why,
	    outcome);
}

/* To the dead-letter file, and on; without one the tool fails, when what is good is through. */
static void
rejected(struct core *c, struct message *m, const char *why)
{
	if (c->dead_letters == NULL) {
		tell_rejected(c, m, why, " (--dead-letter=FILE would keep it and go on)");
		c->counts[COUNT_FAILED].value++;
		c->ended = c->failed = true;
		window_fail(c->window, m);
		return;
	}
	framefile_add(c->dead_letters, m->body, m->len);
	if (framefile_flush(c->dead_letters) == -1) {
		c->fatal = true;
		return;
	}
	tell_rejected(c, m, why, ": kept in the dead-letter file");
	c->counts[COUNT_DEAD].value++;
	c->progress_ms = core_now_ms();
	window_done(c->window, m);
}

static void
verdict(void *core, struct message *m, enum verdict verdict, const char *why)
{
	switch (verdict) {
	case VERDICT_ACKED:
		acked(core, m);
		break;
	case VERDICT_RETRY:
		retry(core, m, why);
		break;
	case VERDICT_REJECTED:
	case VERDICT_TOO_LARGE:
		rejected(core, m, why);
		break;
	}
}

static void
connected(void *core, bool yes)
{
	((struct core *)core)->counts[COUNT_CONNECTED].value = yes;
}

void
verdict_init(struct core *core)
{
	core->owner = (struct bus_owner){
	    .log = &core->tool->log,
	    .core = core,
	    .verdict = verdict,
	    .trouble = trouble,
	    .connected = connected,
	};
}
