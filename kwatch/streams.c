/* SPDX-License-Identifier: Apache-2.0 */
#include "streams.h"

#include <stdlib.h>
#include <string.h>

#include "choose.h"
#include "clock.h"
#include "streams_set.h"

/* Snapshots taken at a time: enough to keep a server busy, few enough for its priority and
 * fairness to let other clients in between. */
enum { TURNS = 16 };

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

static bool
runs(const struct stream *s)
{
	return s->state != STREAM_ENDED && s->state != STREAM_RETIRED;
}

struct stream *
streams_of_type(const struct streams *set, const struct type *type, const char *ns)
{
	for (size_t i = 0; i < set->n; i++) {
		struct stream *s = set->list[i];

		if (runs(s) && is_type(&s->type, type->resource, type->group) &&
		    strcmp(s->ns != NULL ? s->ns : "", ns != NULL ? ns : "") == 0)
			return s;
	}
	return NULL;
}

struct stream *
streams_named(const struct streams *set, const char *name)
{
	for (size_t i = 0; i < set->n; i++)
		if (runs(set->list[i]) && !set->list[i]->quiet &&
		    strcmp(set->list[i]->name, name) == 0)
			return set->list[i];
	return NULL;
}

size_t
streams_complete(const struct streams *set, struct stream **next)
{
	size_t n = 0;

	*next = NULL;
	for (size_t i = 0; i < set->n; i++) {
		struct stream *s = set->list[i];

		if (!runs(s) || s->quiet || s->denied || !stream_complete(s))
			continue;
		n++;
		if (*next == NULL || s->audited_ms < (*next)->audited_ms)
			*next = s;
	}
	return n;
}

bool
streams_settled(const struct streams *set)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct stream *s = set->list[i];

		if (runs(s) && !s->quiet && !s->denied && !stream_complete(s) &&
		    !(s->state == STREAM_PAUSED && s->tries > 0))
			return false;
	}
	return true;
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

/* Where it begins: with a snapshot, or where an earlier run has come to. */
static void
begin(struct streams *set, struct stream *s)
{
	struct position *p = s->quiet ? NULL : positions_find(&set->env->positions, s->name);

	if (p != NULL)
		p->done = true;
	if (set->env->opt.verbose && !s->quiet)
		log_info(set->env->log, "%s: %s", s->name,
		    p != NULL && *p->version != '\0' ? "goes on" : "begins");
	if (p != NULL && *p->version != '\0')
		stream_resume(s, p->version);
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
	old = streams_of_type(set, type, ns); /* s itself is not in the set yet */
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
	if (old != NULL && !quiet)
		(void)stream_mark(s, "gap", STREAM_OTHER_VERSION, old->resource_version);
	begin(set, s);
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
			stream_doubt(s);
		else
			s->doubted = false;
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
			 ((heir = streams_of_type(set, &s->type, s->ns)) == NULL ||
			     heir->synced))
			stream_gone(s);
		if (s->deadline_ms != 0 && s->deadline_ms < next)
			next = s->deadline_ms;
		set->failed |= s->failed;
	}
	streams_sum_denied(set);
	streams_count_states(set);
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
		/* One that was resumed is complete, but nobody has been let in yet. */
		denied +=
		    set->list[i]->denied && (!set->list[i]->synced || set->list[i]->resumed);
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
streams_want_discovery(struct streams *set, enum streams_discovery when)
{
	if (set->discovery < when)
		set->discovery = when;
}

void
streams_saw_change(struct streams *set, const struct stream *s)
{
	if (defines_types(&s->type))
		streams_want_discovery(set, DISCOVERY_SOON);
}
