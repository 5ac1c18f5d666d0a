/* SPDX-License-Identifier: Apache-2.0 */
/* A type is not gone because discovery lacks it: a server that has just started tells of fewer
 * types than it has, and all objects of one would be taken to be deleted. So the path itself is
 * asked for, which a server that is still starting answers with 503, not with 404 (apiserver's
 * notfoundhandler, apiextensions' crdHandler); and as another version may be served, which
 * discovery is yet to tell, that has to lack it for some time. */
#include "orphans.h"

#include <stdlib.h>
#include <string.h>

#include "choose.h"
#include "clock.h"
#include "text.h"

enum {
	/* Rights go with a type when they were made for it, but a server that starts refuses
	 * all for a moment: so long must it refuse. */
	DENIED_SURE_MS = 60000,
	ABSENT_SURE_MS = 5000,
	NAMES_MAX = 1500, /* bytes of names in a message */
};

enum fate {
	FATE_OPEN,    /* nothing can be said: its group could not be asked about */
	FATE_RETIRED, /* its objects are those of another stream: gone once that is complete */
	FATE_LACKING, /* discovery does not have it: the server is to be asked for it */
	FATE_ABSENT,  /* the server does not have it either */
	FATE_GONE,    /* and that has stayed so */
};

struct orphan {
	enum fate fate;
	struct backoff backoff;
	int64_t next_ms;   /* when to ask for it */
	int64_t denied_ms; /* since when it has been refused; 0: it is not */
	int64_t absent_ms; /* since when the server does not have it */
};

struct orphans {
	struct env *env;
	struct streams *set;
	struct orphan *list; /* one for each of env->positions */
	char *selectors;     /* what this run's streams have */
	struct transfer *transfer;
	size_t asked; /* the one that it asks for */
};

struct orphans *
orphans_open(struct env *env, struct streams *set)
{
	struct orphans *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->env = env;
	o->set = set;
	o->list = calloc(env->positions.n + 1, sizeof(*o->list));
	o->selectors = stream_selectors(&env->opt);
	if (o->list != NULL && o->selectors != NULL)
		return o;
	orphans_close(o);
	return NULL;
}

void
orphans_close(struct orphans *o)
{
	if (o == NULL)
		return;
	http_cancel(o->env->http, o->transfer);
	free(o->selectors);
	free(o->list);
	free(o);
}

static bool
namespace_asked_for(const struct options *opt, const char *ns)
{
	if (opt->n_namespaces == 0)
		return *ns == '\0';
	for (size_t i = 0; i < opt->n_namespaces; i++)
		if (strcmp(opt->namespaces[i], ns) == 0)
			return true;
	return false;
}

/* Would this run watch it, if it were served? A TYPE of the command line is compared with what
 * the path says: the plural and the group. */
static bool
asked_for(const struct orphans *o, const struct position *p)
{
	char verbs[] = "list,watch";
	struct type type = p->type;
	struct types one = {.list = NULL};
	bool chosen[1] = {false};

	if (strcmp(p->selectors, o->selectors) != 0 ||
	    !namespace_asked_for(&o->env->opt, p->ns))
		return false;
	type.verbs = verbs;
	type.namespaced = *p->ns != '\0';
	if (types_add(&one, &type) == 0) {
		types_prefer(&one);
		(void)choose_types(o->env, &one, chosen, true);
	}
	types_free(&one);
	return chosen[0];
}

/* Its objects come by the heir, from a snapshot: what happened to them before that is not known. */
static void
retire(struct orphans *o, const struct position *p, struct stream *heir)
{
	if (o->env->opt.verbose)
		log_info(o->env->log, "%s: is %s now", p->name, heir->name);
	if (!heir->synced)
		(void)stream_mark(heir, "gap", STREAM_OTHER_VERSION, p->version);
}

/* What is to be done about it, as discovery has it now. false: nothing, it is not asked for. */
static bool
judge(struct orphans *o, const struct types *types, size_t i)
{
	const struct position *p = &o->env->positions.list[i];
	struct orphan *orphan = &o->list[i];
	struct stream *heir = streams_of_type(o->set, &p->type, p->ns);

	if (heir != NULL && strcmp(heir->selectors, p->selectors) == 0) {
		if (orphan->fate != FATE_RETIRED)
			retire(o, p, heir);
		orphan->fate = FATE_RETIRED;
		return true;
	}
	if (!asked_for(o, p))
		return false;
	if (types_group_is_stale(types, p->type.group))
		orphan->fate = FATE_OPEN;
	else if (types_find(types, &p->type) != NULL)
		orphan->fate = FATE_RETIRED;
	else if (orphan->fate < FATE_LACKING)
		orphan->fate = FATE_LACKING;
	else if (orphan->fate == FATE_ABSENT &&
		 clock_ms() - orphan->absent_ms >= ABSENT_SURE_MS)
		orphan->fate = FATE_GONE;
	return true;
}

void
orphans_update(struct orphans *o, const struct types *types)
{
	struct buf names;
	size_t left = 0;

	buf_init(&names, NAMES_MAX);
	for (size_t i = 0; i < o->env->positions.n; i++) {
		struct position *p = &o->env->positions.list[i];

		if (p->done || judge(o, types, i))
			continue;
		p->done = true;
		left++;
		(void)buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", p->name);
	}
	if (left > 0 && buf_terminate(&names) == 0)
		log_info(o->env->log,
		    "%s: streams that are not asked for are left as they are (%zu): %s",
		    o->env->opt.resume, left, names.data);
	buf_free(&names);
}

static int
on_body(void *arg, const char *bytes, size_t n)
{
	(void)arg;
	(void)bytes;
	(void)n;
	return 0;
}

/* How the server has answered for the path. */
static void
on_done(void *arg, const struct http_answer *answer)
{
	struct orphans *o = arg;
	struct orphan *orphan = &o->list[o->asked];
	int64_t now = clock_ms();
	int64_t at_least = answer->retry_ms;

	o->transfer = NULL;
	counts_status(&o->env->counts, answer->status);
	if (answer->status != 403) {
		orphan->denied_ms = 0;
	} else if (orphan->denied_ms == 0) {
		orphan->denied_ms = now;
		at_least = DENIED_SURE_MS;
	}
	if (orphan->fate == FATE_LACKING &&
	    (answer->status == 404 ||
		(answer->status == 403 && now - orphan->denied_ms >= DENIED_SURE_MS))) {
		orphan->fate = FATE_ABSENT;
		orphan->absent_ms = now;
		streams_want_discovery(o->set, DISCOVERY_SOON);
		return;
	}
	if (answer->status == 200) /* it was too early to know */
		streams_want_discovery(o->set, DISCOVERY_NOW);
	orphan->next_ms = now + backoff_next(&orphan->backoff, now, at_least);
}

static const struct http_handler handler = {on_body, on_done};

static void
ask(struct orphans *o, size_t i)
{
	const struct position *p = &o->env->positions.list[i];
	char *path = text_printf("%s%climit=1", p->name, *p->selectors != '\0' ? '&' : '?');

	o->asked = i;
	if (path != NULL)
		o->transfer =
		    http_get(o->env->http, path, "application/json", HTTP_ANSWER, &handler, o);
	free(path);
	if (o->transfer == NULL)
		o->list[i].next_ms = clock_ms() + BACKOFF_MAX_MS;
}

static void
mark_gone(struct orphans *o, struct position *p, const struct stream *heir)
{
	char *api_version = type_api_version(&p->type);
	struct mark mark = {.stream = p->name,
	    .kind = heir != NULL ? heir->type.kind : p->type.kind,
	    .api_version = api_version,
	    .resource_version = p->version,
	    .mark = "gone"};

	if (api_version == NULL)
		return; /* another time */
	p->done = true;
	if (o->env->opt.verbose)
		log_info(o->env->log, "%s: is no longer served", p->name);
	(void)sink_mark(&o->env->sink, &mark);
	free(api_version);
}

/* Returns when it is to be asked for, INT64_MAX: not by itself. */
static int64_t
tend(struct orphans *o, size_t i, bool settled)
{
	struct position *p = &o->env->positions.list[i];
	struct orphan *orphan = &o->list[i];
	const struct stream *heir;

	if (orphan->fate == FATE_LACKING)
		return orphan->next_ms;
	if (orphan->fate == FATE_OPEN || orphan->fate == FATE_ABSENT)
		return INT64_MAX; /* until the types are known again */
	heir = streams_of_type(o->set, &p->type, p->ns);
	if (heir != NULL ? stream_complete(heir) : settled)
		mark_gone(o, p, heir);
	return INT64_MAX;
}

int
orphans_tick(struct orphans *o)
{
	int64_t now = clock_ms();
	int64_t next = INT64_MAX;
	bool settled = streams_settled(o->set);

	for (size_t i = 0; i < o->env->positions.n; i++) {
		int64_t when = o->env->positions.list[i].done ? INT64_MAX : tend(o, i, settled);

		if (when <= now && o->transfer == NULL)
			ask(o, i);
		else if (when < next)
			next = when;
	}
	if (next == INT64_MAX || o->transfer != NULL)
		return -1;
	return next <= now ? 0 : (int)(next - now);
}
