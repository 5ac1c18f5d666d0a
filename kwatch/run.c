/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <stdlib.h>

#include "audit.h"
#include "clock.h"
#include "discover.h"
#include "orphans.h"
#include "resync.h"
#include "streams.h"
#include "table.h"

enum {
	DISCOVERY_MS = 300000, /* types can change without being seen: aggregated servers */
	CHANGE_MS = 700,  /* changes of types come in groups: the status follows the object */
	SECOND_MS = 2000, /* what a server tells about types lags behind its objects */
	THIRD_MS = 5000,
	TICK_MS = 1000, /* for the metrics */
};

struct runner {
	struct env *env;
	struct discover *discover;
	struct streams *streams;
	struct orphans *orphans;
	struct audit *audit;
	struct resync *resync;
	struct backoff backoff;
	int64_t next_ms; /* when to ask for the types */
	int follow_ups;  /* how often to ask once more soon */
	bool known;      /* they have been learned once */
	bool complained;
	bool done;
	int code;
};

void
run_idle(void *arg)
{
	struct env *env = arg;

	(void)sink_flush(&env->sink);
}

static void
stop(struct runner *r, int code)
{
	r->done = true;
	r->code = code;
}

static void
no_types(struct runner *r, const char *why)
{
	bool final = !r->known && !r->env->opt.forever;

	if (final)
		log_error(r->env->log, "%s", why);
	else if (!r->complained)
		log_warning(r->env->log, "%s: trying again", why);
	r->complained = true;
	r->next_ms = clock_ms() + backoff_next(&r->backoff, clock_ms(), 0);
	if (final)
		stop(r, EXIT_FAILED);
}

/* incomplete: a type that was asked for is not there, and may yet come. */
static void
schedule(struct runner *r, bool incomplete)
{
	int64_t now = clock_ms();
	int64_t wait = r->follow_ups == 2   ? SECOND_MS
		       : r->follow_ups == 1 ? THIRD_MS
					    : DISCOVERY_MS;

	if (r->follow_ups > 0)
		r->follow_ups--;
	if (incomplete) {
		int64_t soon = backoff_next(&r->backoff, now, 0);

		if (soon < wait)
			wait = soon;
	}
	r->next_ms = now + wait;
}

static void
on_types(void *arg, struct types *types, const char *why, bool denied)
{
	struct runner *r = arg;
	struct env *env = r->env;

	bool incomplete;

	(void)denied;
	if (why != NULL) {
		no_types(r, why);
	} else if (env->opt.task == TASK_LIST_TYPES) {
		stop(r, table_print(env, types) == 0 ? EXIT_OK : EXIT_FAILED);
	} else {
		if (r->complained)
			log_info(env->log, "%s: answers again", env->cluster.server);
		r->complained = false;
		incomplete = streams_update(r->streams, types) == -1;
		orphans_update(r->orphans, types);
		if (incomplete && !r->known && !env->opt.forever)
			stop(r, EXIT_FAILED);
		r->known = true;
		schedule(r, incomplete);
	}
	types_free(types);
}

/* Asks for the types when it is time to; returns how long that may wait, in milliseconds. */
static int
tend_discovery(struct runner *r)
{
	int64_t now = clock_ms();

	switch (streams_discovery(r->streams)) {
	case DISCOVERY_NOT_WANTED:
		break;
	case DISCOVERY_SOON:
		r->follow_ups = 2;
		if (r->next_ms > now + CHANGE_MS)
			r->next_ms = now + CHANGE_MS;
		break;
	case DISCOVERY_NOW:
		r->next_ms = now;
		break;
	}
	if (discover_running(r->discover))
		return TICK_MS;
	if (r->next_ms <= now) {
		r->next_ms = now + TICK_MS; /* in case that it cannot even begin */
		discover_start(r->discover);
	}
	return (int)(r->next_ms - now);
}

static void
check_end(struct runner *r)
{
	struct env *env = r->env;

	if (tool_stopping(env->stop_fd))
		stop(r, EXIT_OK);
	else if (env->sink.failed || http_out_closed(env->http))
		stop(r, EXIT_FAILED);
	if (r->done || !r->known)
		return;
	switch (streams_state(r->streams)) {
	case STREAMS_RUNNING:
		break;
	case STREAMS_FINISHED:
		stop(r, EXIT_OK);
		break;
	case STREAMS_FAILED:
		stop(r, EXIT_FAILED);
		break;
	case STREAMS_ALL_DENIED:
		if (!env->opt.forever)
			stop(r, EXIT_FAILED);
		break;
	}
}

static int
least(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

static void
loop(struct runner *r)
{
	while (!r->done) {
		int wait = tend_discovery(r);

		resync_tick(r->resync);
		wait = least(wait, streams_tick(r->streams));
		wait = least(wait, orphans_tick(r->orphans));
		wait = least(wait, audit_tick(r->audit));
		if (r->env->counts.metrics.path != NULL)
			wait = least(wait, TICK_MS);
		check_end(r);
		if (r->done)
			break;
		if (http_run(r->env->http, wait, run_idle, r->env) == -1)
			stop(r, EXIT_FAILED);
		metrics_tick(&r->env->counts.metrics);
	}
}

int
run(struct env *env)
{
	struct runner r = {.env = env, .code = EXIT_FAILED};

	r.discover = discover_open(env, on_types, &r);
	r.streams = streams_open(env);
	r.orphans = r.streams != NULL ? orphans_open(env, r.streams) : NULL;
	r.audit = audit_open(env, r.streams);
	r.resync = resync_open(env, r.streams);
	if (r.discover != NULL && r.orphans != NULL && r.audit != NULL && r.resync != NULL)
		loop(&r);
	else
		log_error(env->log, "out of memory");
	if (sink_flush(&env->sink) != SINK_OK)
		r.code = EXIT_FAILED;
	metrics_write(&env->counts.metrics);
	resync_close(r.resync);
	audit_close(r.audit);
	orphans_close(r.orphans);
	streams_close(r.streams);
	discover_close(r.discover);
	return r.code;
}
