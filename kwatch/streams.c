/* SPDX-License-Identifier: Apache-2.0 */
#include "streams.h"

#include <stdlib.h>
#include <string.h>

#include "choose.h"
#include "clock.h"
#include "text.h"

/* Snapshots taken at a time: enough to keep a server busy, few enough for its priority and
 * fairness to let other clients in between. */
enum {
	TURNS = 16,
	EXPIRY_QUIET_MS = 10000, /* a server that starts anew lets all of them expire at once */
};

struct streams {
	struct env *env;
	struct stream **list; /* owned, in the order of discovery */
	size_t n;
	size_t size;
	int turns; /* left */
	bool watch_list_refused;
	bool watch_list_kept;
	bool unreachable; /* and said so */
	bool denied_said; /* one refusal has been shown in full */
	bool denied_summed;
	bool names_checked;
	int64_t quiet_until_ms;
	bool failed;
	enum streams_discovery discovery;
};

struct streams *
streams_open(struct env *env)
{
	struct streams *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return NULL;
	set->env = env;
	set->turns = TURNS;
	return set;
}

void
streams_close(struct streams *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->n; i++)
		stream_close(set->list[i]);
	free(set->list);
	free(set);
}

static bool
is_type(const struct type *type, const char *resource, const char *group)
{
	return strcmp(type->resource, resource) == 0 && strcmp(type->group, group) == 0;
}

/* Types whose objects define types. */
static bool
defines_types(const struct type *type)
{
	return is_type(type, "customresourcedefinitions", "apiextensions.k8s.io") ||
	       is_type(type, "apiservices", "apiregistration.k8s.io");
}

/* A running stream of the same objects, in whatever version. */
static struct stream *
find(const struct streams *set, const struct stream *like)
{
	for (size_t i = 0; i < set->n; i++) {
		struct stream *s = set->list[i];
		const char *a = strstr(s->path, "/namespaces/");
		const char *b = strstr(like->path, "/namespaces/");

		if (s == like || s->state == STREAM_ENDED || s->state == STREAM_RETIRED ||
		    !is_type(&s->type, like->type.resource, like->type.group))
			continue;
		if ((a == NULL) != (b == NULL) || (a != NULL && strcmp(a, b) != 0))
			continue;
		return s;
	}
	return NULL;
}

static int
grow(struct streams *set)
{
	size_t size = set->size > 0 ? 2 * set->size : 64;
	struct stream **list;

	if (set->n < set->size)
		return 0;
	list = realloc(set->list, size * sizeof(struct stream *));
	if (list == NULL)
		return -1;
	set->list = list;
	set->size = size;
	return 0;
}

/* Its version is no longer served, but another one is: its objects live on in the new stream,
 * and are told to be gone from this one only once they are there. */
static void
retire(struct stream *s)
{
	http_cancel(s->env->http, s->transfer);
	s->transfer = NULL;
	if (s->turn)
		streams_give_turn(s->set);
	s->turn = false;
	s->deadline_ms = 0;
	s->state = STREAM_RETIRED;
}

static int
add(struct streams *set, const struct types *types, const struct type *type, const char *ns,
    bool quiet)
{
	struct stream *s = grow(set) == 0 ? stream_open(set->env, set, type, ns) : NULL;
	struct stream *old;

	if (s == NULL) {
		log_error(set->env->log, "out of memory");
		return -1;
	}
	old = find(set, s);
	if (old != NULL && (strcmp(old->type.version, s->type.version) == 0 ||
			       types_find(types, &old->type) != NULL)) {
		stream_close(s); /* what runs goes on */
		return 0;
	}
	s->quiet = quiet;
	s->named = set->env->opt.n_types > 0;
	set->list[set->n++] = s;
	if (old != NULL)
		retire(old);
	if (set->env->opt.verbose && !quiet)
		log_info(set->env->log, "%s: begins", s->name);
	return 0;
}

static int
add_all(struct streams *set, const struct types *types, const bool *chosen)
{
	const struct options *opt = &set->env->opt;
	int bad = 0;

	for (size_t i = 0; i < types->n; i++) {
		const struct type *type = &types->list[i];

		if (chosen[i] && (opt->n_namespaces == 0 || !type->namespaced))
			bad |= add(set, types, type, NULL, false);
		else if (chosen[i])
			for (size_t k = 0; k < opt->n_namespaces; k++)
				bad |= add(set, types, type, opt->namespaces[k], false);
		else if (opt->n_types == 0 && type->preferred && defines_types(type) &&
			 opt->task == TASK_WATCH)
			bad |= add(set, types, type, NULL, true);
	}
	return bad;
}

/* Streams whose type the server no longer has. */
static void
end_missing(struct streams *set, const struct types *types)
{
	for (size_t i = 0; i < set->n; i++) {
		struct stream *s = set->list[i];
		const struct type *type = types_find(types, &s->type);
		bool exists =
		    (type != NULL && types_watchable(type)) || types_is_stale(types, &s->type);

		if (s->state == STREAM_ENDED || s->state == STREAM_RETIRED)
			continue;
		if (s->state == STREAM_UNCONFIRMED)
			stream_confirm(s, exists);
		else if (!exists)
			stream_gone(s);
	}
}

static void
drop_ended(struct streams *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->n; i++) {
		if (set->list[i]->state == STREAM_ENDED && set->env->opt.task != TASK_ONCE)
			stream_close(set->list[i]);
		else
			set->list[kept++] = set->list[i];
	}
	set->n = kept;
}

int
streams_update(struct streams *set, const struct types *types)
{
	bool *chosen = calloc(types->n + 1, sizeof(*chosen));
	int result;

	if (chosen == NULL) {
		log_error(set->env->log, "out of memory");
		return -1;
	}
	result = choose_types(set->env, types, chosen, set->names_checked);
	set->names_checked = true;
	if (add_all(set, types, chosen) != 0)
		result = -1;
	end_missing(set, types);
	drop_ended(set);
	set->denied_summed = false;
	free(chosen);
	return result;
}

/* All have been answered for the first time: those that may not be listed are named together.
 */
static void
sum_denied(struct streams *set)
{
	struct buf names;
	size_t denied = 0;
	size_t all = 0;

	if (set->denied_summed)
		return;
	buf_init(&names, TEXT_MAX);
	for (size_t i = 0; i < set->n; i++) {
		const struct stream *s = set->list[i];

		if (s->quiet)
			continue;
		if (!s->synced && !s->denied && s->state != STREAM_ENDED) {
			buf_free(&names);
			return;
		}
		all++;
		denied += s->denied;
		if (s->denied)
			(void)buf_printf(&names, "%s%s%s%s", names.len > 0 ? ", " : "",
			    s->type.resource, *s->type.group != '\0' ? "." : "", s->type.group);
	}
	set->denied_summed = true;
	if (denied == all && all > 0)
		log_error(set->env->log, "%s: nothing may be listed with these credentials",
		    set->env->cluster.server);
	else if (denied > 1 && !set->env->opt.verbose && set->env->opt.n_types == 0 &&
		 buf_terminate(&names) == 0)
		log_warning(set->env->log, "%zu of %zu types may not be listed: %s", denied,
		    all, names.data);
	buf_free(&names);
}

static void
count_states(struct streams *set)
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

int
streams_tick(struct streams *set)
{
	int64_t now = clock_ms();
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < set->n; i++) {
		struct stream *s = set->list[i];
		const struct stream *heir;

		if (s->deadline_ms != 0 && s->deadline_ms <= now)
			stream_timeout(s, now);
		else if (s->state == STREAM_QUEUED)
			stream_step(s);
		else if (s->state == STREAM_RETIRED &&
			 ((heir = find(set, s)) == NULL || heir->synced))
			stream_gone(s);
		if (s->deadline_ms != 0 && s->deadline_ms < next)
			next = s->deadline_ms;
		set->failed |= s->failed;
	}
	sum_denied(set);
	count_states(set);
	if (next == INT64_MAX)
		return -1;
	return next <= now ? 0 : (int)(next - now);
}

enum streams_state
streams_state(const struct streams *set)
{
	size_t ended = 0;
	size_t denied = 0;
	size_t all = 0;

	for (size_t i = 0; i < set->n; i++) {
		if (set->list[i]->quiet)
			continue;
		all++;
		denied += set->list[i]->denied && !set->list[i]->synced;
		ended += set->list[i]->state == STREAM_ENDED;
	}
	if (all > 0 && denied == all)
		return STREAMS_ALL_DENIED;
	if (set->env->opt.task == TASK_ONCE && ended == all)
		return set->failed ? STREAMS_FAILED : STREAMS_FINISHED;
	return STREAMS_RUNNING;
}

enum streams_discovery
streams_discovery(struct streams *set)
{
	enum streams_discovery wanted = set->discovery;

	set->discovery = DISCOVERY_NOT_WANTED;
	return wanted;
}

bool
streams_take_turn(struct streams *set)
{
	if (set->turns == 0)
		return false;
	set->turns--;
	return true;
}

void
streams_give_turn(struct streams *set)
{
	set->turns++;
}

/* A server that has refused it for one type, and kept it for none, does not have it. */
bool
streams_no_watch_list(const struct streams *set)
{
	return set->watch_list_refused && !set->watch_list_kept;
}

void
streams_watch_list_refused(struct streams *set)
{
	set->watch_list_refused = true;
}

void
streams_watch_list_kept(struct streams *set)
{
	set->watch_list_kept = true;
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

void
streams_want_discovery(struct streams *set)
{
	set->discovery = DISCOVERY_NOW;
}

void
streams_saw_change(struct streams *set, const struct stream *s)
{
	if (defines_types(&s->type) && set->discovery == DISCOVERY_NOT_WANTED)
		set->discovery = DISCOVERY_SOON;
}
