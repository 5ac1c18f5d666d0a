/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "backoff.h"
#include "message_shrink.h"

enum {
	RETRY_BASE_MS = 100,
	RETRY_MAX_MS = 30000,
	TELL_AGAIN_MS = 60000,
	DESCRIPTION = 1024, /* names have 253 bytes at most */
};

int64_t
core_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Says what the message is, in text. Returns that. */
static const char *
describe(const struct message *m, char text[DESCRIPTION])
{
	char shrunk[40] = "";

	if (m->shrunk != SHRUNK_NONE)
		snprintf(shrunk, sizeof(shrunk), ", shrunk to %zu", m->len);
	snprintf(text, DESCRIPTION,
	    "message %.*s (%.*s %.*s%s%.*s, seq %" PRIu64 ", %zu bytes%s)", (int)m->id.len,
	    m->id.p, (int)m->kind.len, m->kind.p, (int)m->ns.len, m->ns.p,
	    m->ns.len > 0 ? "/" : "", (int)m->name.len, m->name.p, m->seq, message_whole(m).len,
	    shrunk);
	return text;
}

/* A message went out without part of its states: said at once the first time, and then once a
 * minute. */
static void
tell_shrunk(struct core *c, const struct message *m)
{
	struct shrinking *s = &c->shrinking;
	int64_t now = core_now_ms();
	char text[DESCRIPTION];

	if (s->told && now - s->told_ms < TELL_AGAIN_MS)
		return;
	s->told = true;
	s->told_ms = now;
	log_warning(&c->tool->log, "%s: %s: %s: published without part of its states", c->shown,
	    describe(m, text), s->why);
}

static void
acked(struct core *c, struct message *m)
{
	c->counts[COUNT_ACKED].value++;
	c->counts[COUNT_BYTES].value += m->len;
	c->counts[COUNT_LAST_SUCCESS].value = (uint64_t)time(NULL);
	c->progress_ms = core_now_ms();
	if (m->shrunk != SHRUNK_NONE) {
		c->counts[COUNT_SHRUNK].value++;
		tell_shrunk(c, m);
	}
	window_done(c->window, m);
	if (trouble_over(&c->trouble))
		log_info(&c->tool->log, "%s: accepts messages again", c->shown);
}

static void trouble(void *core, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
trouble(void *core, const char *fmt, ...)
{
	struct core *c = core;
	va_list ap;
	bool news;

	va_start(ap, fmt);
	news = trouble_is_news(&c->trouble, core_now_ms(), fmt, ap);
	va_end(ap);
	if (news)
		log_warning(&c->tool->log, "%s: %s (retrying)", c->shown, c->trouble.text);
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
	char text[DESCRIPTION];

	log_error(&c->tool->log, "%s: %s: %s%s", c->shown, describe(m, text), why, outcome);
}

/* Appends it to the dead-letter file. False with what is wrong in why. */
static bool
keep(struct core *c, const struct message *m, char why[FRAMEFILE_WHY])
{
	struct text whole = message_whole(m);

	if (framefile_follow(&c->dead_letters, c->dead_letter_path, &c->tool->log, why) == -1)
		return false;
	framefile_add(c->dead_letters, (const uint8_t *)whole.p, whole.len);
	if (framefile_flush(c->dead_letters) == 0)
		return true;
	snprintf(why, FRAMEFILE_WHY, "cannot write: %s", strerror(errno));
	return false;
}

/* It is not in the dead-letter file, and so is not done: the bus may reject it once more. What
 * has come out of a pipe cannot be taken back. */
static void
not_kept(struct core *c, struct message *m, const char *why)
{
	char text[TROUBLE_MAX];

	snprintf(text, sizeof(text), "the dead-letter file %s: %s", c->dead_letter_path, why);
	if (c->dead_letters == NULL || framefile_regular(c->dead_letters)) {
		retry(c, m, text);
	} else {
		log_error(&c->tool->log, "%s: %s", c->shown, text);
		c->fatal = true;
	}
}

/* To the dead-letter file, and on; without one the tool fails, when what is good is through. */
static void
rejected(struct core *c, struct message *m, const char *why)
{
	char not_kept_why[FRAMEFILE_WHY];

	if (c->dead_letter_path == NULL) {
		tell_rejected(c, m, why, " (--dead-letter=FILE would keep it and go on)");
		c->counts[COUNT_FAILED].value++;
		c->ended = c->failed = true;
		window_fail(c->window, m);
		return;
	}
	if (!keep(c, m, not_kept_why)) {
		not_kept(c, m, not_kept_why);
		return;
	}
	tell_rejected(c, m, why, ": kept in the dead-letter file");
	c->counts[COUNT_DEAD].value++;
	c->progress_ms = core_now_ms();
	window_done(c->window, m);
}

/* The same message again, with less in it; where that does not help it is rejected. */
static void
too_large(struct core *c, struct message *m, const char *why)
{
	int smaller = c->ops->in_place ? 0 : message_shrink(m);

	if (smaller == -1) {
		log_error(&c->tool->log, "out of memory for a message of %zu bytes", m->len);
		c->fatal = true;
	} else if (smaller == 0) {
		rejected(c, m, why);
	} else {
		snprintf(c->shrinking.why, sizeof(c->shrinking.why), "%s", why);
		window_smaller(c->window, m);
	}
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
		rejected(core, m, why);
		break;
	case VERDICT_TOO_LARGE:
		too_large(core, m, why);
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
