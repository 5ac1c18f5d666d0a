/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "clock.h"
#include "input.h"
#include "list.h"
#include "streams.h"
#include "text.h"
#include "watch.h"

enum {
	TIMEOUT_LEAST_S = 300, /* a watch lasts five to ten minutes, as the reflector's */
	TIMEOUT_SPREAD_S = 300,
	TIMEOUT_GRACE_MS = 5000,
	ONCE_TRIES = 5,
};

static const struct http_handler list_handler = {list_body, answer_take};
static const struct http_handler watch_handler = {watch_body, answer_take};

static void
add_selector(struct buf *buf, const char *name, const char *selector, int *bad)
{
	if (selector != NULL)
		*bad |= buf_printf(buf, "%s%s=", buf->len > 0 ? "&" : "", name) |
			text_add_query(buf, selector);
}

char *
stream_selectors(const struct options *opt)
{
	struct buf buf;
	int bad = 0;

	buf_init(&buf, TEXT_MAX);
	add_selector(&buf, "labelSelector", opt->selector, &bad);
	add_selector(&buf, "fieldSelector", opt->field_selector, &bad);
	if (bad != 0 || buf_terminate(&buf) == -1)
		buf_free(&buf);
	return buf.data;
}

struct stream *
stream_open(struct env *env, struct streams *set, const struct type *type, const char *ns)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->env = env;
	s->set = set;
	s->ns = ns;
	buf_init(&s->partial, INPUT_MAX);
	if (type_copy(&s->type, type) == 0) {
		s->api_version = type_api_version(type);
		s->path = text_printf("%s%s/%s%s%s/%s",
		    *type->group != '\0' ? "/apis/" : "/api", type->group, type->version,
		    ns != NULL ? "/namespaces/" : "", ns != NULL ? ns : "", type->resource);
		s->selectors = stream_selectors(&env->opt);
	}
	if (s->path != NULL && s->selectors != NULL)
		s->name = text_printf(
		    "%s%s%s", s->path, *s->selectors != '\0' ? "?" : "", s->selectors);
	if (s->name != NULL && s->api_version != NULL)
		return s;
	stream_close(s);
	return NULL;
}

static void
give_turn(struct stream *s)
{
	if (s->turn)
		streams_give_turn(s->set);
	s->turn = false;
}

void
stream_close(struct stream *s)
{
	if (s == NULL)
		return;
	http_cancel(s->env->http, s->transfer);
	give_turn(s);
	unfold_close(s->unfold);
	buf_free(&s->partial);
	free(s->next_page);
	free(s->api_version);
	free(s->path);
	free(s->selectors);
	free(s->name);
	type_free(&s->type);
	free(s);
}

enum stream_wait
stream_pause(struct stream *s, int64_t when_ms, enum stream_state resume)
{
	give_turn(s);
	unfold_close(s->unfold);
	s->unfold = NULL;
	s->state = STREAM_PAUSED;
	s->resume = resume;
	s->deadline_ms = when_ms;
	return WAIT_TIME;
}

/* Where a stream goes on after a failure: a list at its page, through the queue. */
enum stream_state
stream_resume_state(const struct stream *s)
{
	return s->state == STREAM_WATCHING ? STREAM_WATCHING : STREAM_QUEUED;
}

enum stream_wait
stream_end(struct stream *s)
{
	give_turn(s);
	s->state = STREAM_ENDED;
	s->deadline_ms = 0;
	return WAIT_NOTHING;
}

enum stream_wait
stream_retry(struct stream *s, int64_t at_least_ms)
{
	int64_t now = clock_ms();

	s->tries++;
	if (s->env->opt.task == TASK_ONCE && s->tries >= ONCE_TRIES && !s->env->opt.forever) {
		log_error(s->env->log, "%s: given up", s->name);
		s->failed = true;
		return stream_end(s);
	}
	return stream_pause(
	    s, now + backoff_next(&s->backoff, now, at_least_ms), stream_resume_state(s));
}

/* path?selectors&params. A request that cannot be made is tried again later. */
static enum stream_wait
request(struct stream *s, const char *params, enum http_kind kind,
    const struct http_handler *handler)
{
	char *path = text_printf(
	    "%s?%s%s%s", s->path, s->selectors, *s->selectors != '\0' ? "&" : "", params);

	s->begun_ms = clock_ms();
	s->end = END_NONE;
	s->events = 0;
	s->partial.len = 0;
	s->status = (struct status){.code = 0};
	if (path != NULL)
		s->transfer =
		    http_get(s->env->http, path, "application/json", kind, handler, s);
	free(path);
	if (s->transfer != NULL)
		return WAIT_SERVER;
	log_error(s->env->log, "%s: out of memory", s->name);
	return stream_retry(s, 0);
}

enum stream_wait
stream_list(struct stream *s)
{
	struct buf params;
	enum stream_wait wait;
	int bad;

	s->state = STREAM_LISTING;
	s->deadline_ms = 0;
	buf_init(&params, TEXT_MAX);
	bad = list_begin(s);
	bad |= buf_printf(&params, "limit=%ld", s->limit);
	if (s->next_page != NULL)
		bad |=
		    buf_addstr(&params, "&continue=") | text_add_query(&params, s->next_page);
	else if (s->exact)
		bad |= buf_addstr(&params, "&resourceVersionMatch=Exact&resourceVersion=") |
		       text_add_query(&params, s->resource_version);
	bad |= buf_terminate(&params);
	wait =
	    bad == 0 ? request(s, params.data, HTTP_ANSWER, &list_handler) : stream_retry(s, 0);
	buf_free(&params);
	return wait;
}

/* initial: a WatchList. */
enum stream_wait
stream_watch(struct stream *s, bool initial)
{
	int64_t timeout_s = TIMEOUT_LEAST_S + (int64_t)clock_random(TIMEOUT_SPREAD_S);
	struct buf buf;
	enum stream_wait wait;
	int bad;

	buf_init(&buf, TEXT_MAX);
	bad = buf_printf(&buf, "watch=true&allowWatchBookmarks=true&timeoutSeconds=%lld",
	    (long long)timeout_s);
	if (initial)
		bad |= buf_addstr(
		    &buf, "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
	else if (s->resource_version[0] != '\0')
		bad |= buf_addstr(&buf, "&resourceVersion=") |
		       text_add_query(&buf, s->resource_version);
	bad |= buf_terminate(&buf);
	s->state = initial ? STREAM_SYNCING : STREAM_WATCHING;
	if (initial)
		s->marked = false;
	wait = bad == 0 ? request(s, buf.data, HTTP_WATCH, &watch_handler) : stream_retry(s, 0);
	buf_free(&buf);
	if (wait == WAIT_SERVER) {
		s->end_ms = s->begun_ms + timeout_s * 1000 + TIMEOUT_GRACE_MS;
		s->deadline_ms = initial ? s->begun_ms + STREAM_SILENCE_MS : s->end_ms;
	}
	return wait;
}

enum stream_wait
stream_step(struct stream *s)
{
	switch (s->state) {
	case STREAM_QUEUED:
		s->deadline_ms = 0;
		if (!s->turn && !streams_take_turn(s->set))
			return WAIT_TURN;
		s->turn = true;
		s->snapshots++;
		if (s->env->opt.task == TASK_ONCE || s->no_watch_list || s->next_page != NULL ||
		    s->exact || s->env->opt.no_watch_list || streams_no_watch_list(s->set))
			return stream_list(s);
		return stream_watch(s, true);
	case STREAM_LISTING:
		return stream_list(s);
	case STREAM_WATCHING:
		if (s->begun_ms != 0)
			counts_add(
			    &s->env->counts, COUNT_RECONNECTS, s->synced && s->unfold == NULL);
		unfold_close(s->unfold);
		s->unfold = NULL;
		return stream_watch(s, false);
	case STREAM_SYNCING:
		return WAIT_SERVER;
	case STREAM_PAUSED:
		return WAIT_TIME;
	case STREAM_UNCONFIRMED:
		return WAIT_DISCOVERY;
	case STREAM_RETIRED:
	case STREAM_ENDED:
		break;
	}
	return WAIT_NOTHING;
}

enum stream_wait
stream_timeout(struct stream *s, int64_t now_ms)
{
	switch (s->state) {
	case STREAM_PAUSED:
		s->state = s->resume;
		break;
	case STREAM_SYNCING:
		http_cancel(s->env->http, s->transfer);
		s->transfer = NULL;
		log_warning(s->env->log,
		    "%s: the server takes a WatchList but does not end it: listing instead",
		    s->name);
		s->no_watch_list = true;
		s->state = STREAM_QUEUED;
		break;
	case STREAM_WATCHING:
		http_cancel(s->env->http, s->transfer);
		s->transfer = NULL;
		break;
	default:
		s->deadline_ms = now_ms + TIMEOUT_GRACE_MS;
		return WAIT_TIME;
	}
	return stream_step(s);
}

bool
stream_complete(const struct stream *s)
{
	bool paused = s->state == STREAM_PAUSED || s->state == STREAM_UNCONFIRMED;

	return s->synced && (paused ? s->resume : s->state) == STREAM_WATCHING;
}

void
stream_resume(struct stream *s, const char *version)
{
	snprintf(s->resource_version, sizeof(s->resource_version), "%s", version);
	s->resumed = s->synced = true;
	s->state = STREAM_WATCHING;
	stream_step(s);
}

void
stream_confirm(struct stream *s, bool exists)
{
	if (s->state != STREAM_UNCONFIRMED)
		return;
	s->state = s->resume;
	s->doubted = !exists;
	if (!exists) {
		stream_gone(s);
		return;
	}
	stream_complain(s);
	stream_retry(s, 0);
}

void
stream_doubt(struct stream *s)
{
	s->doubted = true;
	if (s->state == STREAM_PAUSED) {
		s->deadline_ms = clock_ms();
	} else if (s->state == STREAM_WATCHING) {
		http_cancel(s->env->http, s->transfer);
		s->transfer = NULL;
		stream_step(s);
	}
}

void
stream_resync(struct stream *s)
{
	if (!stream_complete(s))
		return; /* one is on its way, or the type may be gone */
	http_cancel(s->env->http, s->transfer);
	s->transfer = NULL;
	s->resumed = false;
	s->exact = true;
	s->state = STREAM_QUEUED;
	counts_add(&s->env->counts, COUNT_RESYNCS, 1);
	stream_step(s);
}

void
stream_went_back(struct stream *s)
{
	http_cancel(s->env->http, s->transfer);
	s->transfer = NULL;
	log_warning(
	    s->env->log, "%s: the server's history has gone back: taking a snapshot", s->name);
	counts_add(&s->env->counts, COUNT_GAPS, 1);
	(void)stream_mark(s, "gap", "WentBack", s->resource_version);
	s->resource_version[0] = '\0';
	s->resumed = false;
	s->state = STREAM_QUEUED;
	stream_step(s);
}

void
stream_gone(struct stream *s)
{
	http_cancel(s->env->http, s->transfer);
	s->transfer = NULL;
	if (!s->quiet && s->env->opt.verbose)
		log_info(s->env->log, "%s: is no longer served", s->name);
	(void)stream_mark(s, "gone", NULL, s->resource_version);
	stream_end(s);
}

int
stream_synced(struct stream *s, const char *version)
{
	memmove(s->resource_version, version, strlen(version) + 1);
	give_turn(s);
	s->synced = true;
	s->exact = false;
	if (s->state == STREAM_SYNCING) {
		s->state = STREAM_WATCHING;
		s->deadline_ms = s->end_ms;
		streams_watch_list_kept(s->set);
	}
	stream_healthy(s);
	counts_add(&s->env->counts, COUNT_SNAPSHOTS, 1);
	return stream_mark(s, "end", NULL, s->resource_version);
}
