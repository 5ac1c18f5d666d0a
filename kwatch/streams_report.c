/* SPDX-License-Identifier: Apache-2.0 */
/* What concerns all streams together is said once: a server that is away, rights that lack. */
#include <string.h>

#include "clock.h"
#include "streams_set.h"
#include "text.h"

enum {
	ANSWER_MS = 5000,
	EXPIRY_QUIET_MS = 10000, /* a server that starts anew lets all of them expire at once */
};

/* Has the server not said yet whether it may be watched? A watch that goes on may be silent for
 * long when it may. */
static bool
unanswered(const struct stream *s)
{
	if (s->denied || s->state == STREAM_ENDED)
		return false;
	return !s->synced || (s->resumed && clock_ms() - s->begun_ms < ANSWER_MS);
}

void
streams_sum_denied(struct streams *set)
{
	struct buf names;
	size_t denied = 0;
	size_t unfit = 0;
	size_t all = 0;

	if (set->denied_summed)
		return;
	buf_init(&names, TEXT_MAX);
	for (size_t i = 0; i < set->n; i++) {
		const struct stream *s = set->list[i];

		if (s->quiet)
			continue;
		if (unanswered(s)) {
			buf_free(&names);
			return;
		}
		all++;
		denied += s->denied;
		unfit += s->denied && s->unfit;
		if (s->denied)
			(void)buf_printf(&names, "%s%s%s%s", names.len > 0 ? ", " : "",
			    s->type.resource, *s->type.group != '\0' ? "." : "", s->type.group);
	}
	set->denied_summed = true;
	if (denied == all && all > 0)
		log_error(set->env->log, "%s: nothing may be listed with these %s",
		    set->env->cluster.server, unfit == all ? "selectors" : "credentials");
	else if (denied > 1 && !set->env->opt.verbose && set->env->opt.n_types == 0 &&
		 buf_terminate(&names) == 0)
		log_warning(set->env->log, "%zu of %zu types may not be listed: %s", denied,
		    all, names.data);
	buf_free(&names);
}

void
streams_count_states(struct streams *set)
{
	struct metric *table = set->env->counts.table;

	for (int i = COUNT_STREAMS_QUEUED; i <= COUNT_STREAMS_DENIED; i++)
		table[i].value = 0;
	for (size_t i = 0; i < set->n; i++) {
		const struct stream *s = set->list[i];

		if (s->quiet)
			continue;
		if (s->denied)
			table[COUNT_STREAMS_DENIED].value++;
		else if (s->state == STREAM_QUEUED)
			table[COUNT_STREAMS_QUEUED].value++;
		else if (s->state == STREAM_SYNCING || s->state == STREAM_LISTING)
			table[COUNT_STREAMS_SNAPSHOT].value++;
		else if (s->state == STREAM_WATCHING)
			table[COUNT_STREAMS_WATCHING].value++;
		else if (s->state == STREAM_PAUSED || s->state == STREAM_UNCONFIRMED)
			table[COUNT_STREAMS_PAUSED].value++;
	}
}

void
streams_unreachable(struct streams *set, const char *why)
{
	if (!set->unreachable)
		log_warning(set->env->log, "%s: %s", set->env->cluster.server, why);
	set->unreachable = true;
}

void
streams_reached(struct streams *set)
{
	if (set->unreachable)
		log_info(set->env->log, "%s: answers again", set->env->cluster.server);
	set->unreachable = false;
}

void
streams_denied(struct streams *set, const struct stream *s)
{
	if (!set->denied_said || set->env->opt.verbose || s->named || s->synced)
		log_warning(set->env->log, "%s: %ld %s: %s", s->name, s->status.code,
		    http_reason(s->status.code), s->status.message);
	set->denied_said = true;
}

void
streams_expired(struct streams *set, const struct stream *s)
{
	int64_t now = clock_ms();

	counts_add(&set->env->counts, COUNT_GAPS, 1);
	if (set->env->opt.verbose || now >= set->quiet_until_ms)
		log_info(set->env->log, "%s: %ld %s: %s: taking a snapshot%s", s->name,
		    s->status.code, http_reason(s->status.code), s->status.message,
		    set->env->opt.verbose ? "" : " (and perhaps of other types)");
	set->quiet_until_ms = now + EXPIRY_QUIET_MS;
}
