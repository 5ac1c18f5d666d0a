/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include "clock.h"
#include "list.h"
#include "streams.h"
#include "text.h"

enum {
	QUICK_MS = 1000, /* a watch that ends sooner, with no event, has failed */
	/* Rights may be granted later: soon after an installation, else seldom. */
	DENIED_FIRST_MS = 5000,
	DENIED_MAX_MS = 300000,
	CUT_SHORT_MAX = 2,
};

/* How a request went, as the state machine sees it. */
enum verdict {
	VERDICT_ENDED, /* regularly */
	VERDICT_CUT,   /* in the middle of a 200: the network, a GOAWAY, a server that stops */
	VERDICT_RETRY, /* a failure that may pass */
	VERDICT_UNREACHED, /* no answer at all */
	VERDICT_EXPIRED,   /* 410: the resourceVersion or the page is too old */
	VERDICT_DENIED,    /* as long as nobody changes the rights, or the type */
	VERDICT_MISSING,   /* 404 */
	VERDICT_NO_WATCH_LIST,
	VERDICT_STOP, /* nothing more can be written */
};

/* What a refusal means, by its HTTP status or the code of an ERROR event. */
static enum verdict
judge_code(struct stream *s, long code)
{
	bool syncing = s->state == STREAM_SYNCING;

	counts_status(&s->env->counts, code);
	if (s->exact &&
	    (code == 400 || code == 422)) /* a server that does not have such lists */
		return VERDICT_EXPIRED;
	switch (code) {
	case 403:
	case 405:
		return VERDICT_DENIED;
	case 404:
		return VERDICT_MISSING;
	case 410:
		return VERDICT_EXPIRED;
	case 400:
		if (s->state == STREAM_WATCHING) /* a resourceVersion it cannot even read */
			return VERDICT_EXPIRED;
		/* A field selector that the type does not know stays unknown. */
		return syncing ? VERDICT_NO_WATCH_LIST : VERDICT_DENIED;
	case 422:
		return syncing ? VERDICT_NO_WATCH_LIST : VERDICT_RETRY;
	case 500:
		return syncing && s->end == END_REFUSED && s->events == 0
			   ? VERDICT_NO_WATCH_LIST
			   : VERDICT_RETRY;
	default:
		return VERDICT_RETRY;
	}
}

static enum verdict
judge(struct stream *s, const struct http_answer *answer)
{
	switch (s->end) {
	case END_COMPLETE:
		return VERDICT_ENDED;
	case END_OUTPUT:
		return VERDICT_STOP;
	case END_MALFORMED:
		return VERDICT_RETRY;
	case END_REFUSED:
		return judge_code(s, s->status.code);
	case END_NONE:
		break;
	}
	if (answer->status == 200)
		return answer->complete ? VERDICT_ENDED : VERDICT_CUT;
	if (answer->status == 0) {
		counts_status(&s->env->counts, 0);
		return VERDICT_UNREACHED;
	}
	status_parse(&s->status, answer->body, answer->len);
	s->status.code = answer->status;
	if (s->status.retry_ms < answer->retry_ms)
		s->status.retry_ms = answer->retry_ms;
	return judge_code(s, answer->status);
}

static enum stream_wait
after_list(struct stream *s)
{
	switch (list_end(s)) {
	case LIST_MORE:
		stream_healthy(s);
		return stream_list(s);
	case LIST_BROKEN:
		text_set(&s->next_page, NULL);
		return stream_retry(s, 0);
	case LIST_LAST:
		break;
	}
	unfold_close(s->unfold);
	s->unfold = NULL;
	stream_synced(s, s->list_version);
	if (s->env->opt.task == TASK_ONCE)
		return stream_end(s);
	return stream_watch(s, false);
}

/* A request that was answered with 200 is over. */
static enum stream_wait
after_end(struct stream *s, bool regular)
{
	switch (s->state) {
	case STREAM_LISTING:
		return regular ? after_list(s) : stream_retry(s, 0);
	case STREAM_SYNCING:
		s->no_watch_list |= ++s->cut_short >= CUT_SHORT_MAX;
		return stream_retry(s, 0);
	default:
		if (s->events == 0 && clock_ms() - s->begun_ms < QUICK_MS)
			return stream_retry(s, 0);
		return stream_step(s);
	}
}

static enum stream_wait
after_expiry(struct stream *s)
{
	bool again = s->tries++ > 0;

	if (s->state == STREAM_WATCHING || s->exact) {
		streams_expired(s->set, s);
		if (stream_mark(s, "gap",
			s->status.reason[0] != '\0' ? s->status.reason : "Expired",
			s->resource_version) == -1)
			return stream_end(s);
	}
	s->resource_version[0] = '\0';
	s->resumed = s->exact = false;
	text_set(&s->next_page, NULL);
	s->state = STREAM_QUEUED;
	if (again)
		return stream_retry(s, s->status.retry_ms);
	return stream_step(s);
}

static enum stream_wait
after_denial(struct stream *s)
{
	int64_t wait = s->denied ? 2 * s->denied_ms : DENIED_FIRST_MS;

	if (wait > DENIED_MAX_MS)
		wait = DENIED_MAX_MS;
	if (!s->denied && !s->quiet)
		streams_denied(s->set, s);
	if (!s->denied && s->synced) /* rights made for a type go with it */
		streams_want_discovery(s->set, DISCOVERY_SOON);
	s->denied = true;
	s->unfit = s->status.code == 400;
	s->denied_ms = wait;
	if (s->env->opt.task == TASK_ONCE && !s->env->opt.forever) {
		s->failed = s->named;
		return stream_end(s);
	}
	text_set(&s->next_page, NULL);
	wait += (int64_t)clock_random((uint64_t)wait / 5);
	return stream_pause(s, clock_ms() + wait, stream_resume_state(s));
}

/* The type may be gone. */
static enum stream_wait
after_loss(struct stream *s)
{
	stream_pause(s, 0, stream_resume_state(s));
	s->state = STREAM_UNCONFIRMED;
	streams_want_discovery(s->set, DISCOVERY_NOW);
	return WAIT_DISCOVERY;
}

static enum stream_wait
after_failure(struct stream *s)
{
	if (s->status.code == 401) {
		cluster_refresh(&s->env->cluster, true);
		if (!s->tried_credentials) {
			s->tried_credentials = true;
			return stream_pause(s, clock_ms() + 1, stream_resume_state(s));
		}
	}
	stream_complain(s);
	return stream_retry(s, s->status.retry_ms);
}

void
answer_take(void *arg, const struct http_answer *answer)
{
	struct stream *s = arg;

	s->transfer = NULL;
	s->partial.len = 0; /* half a line is none */
	switch (judge(s, answer)) {
	case VERDICT_ENDED:
		after_end(s, true);
		break;
	case VERDICT_CUT:
		after_end(s, false);
		break;
	case VERDICT_RETRY:
		after_failure(s);
		break;
	case VERDICT_UNREACHED:
		streams_unreachable(s->set, answer->error);
		stream_retry(s, 0);
		break;
	case VERDICT_EXPIRED:
		after_expiry(s);
		break;
	case VERDICT_DENIED:
		if (s->doubted) /* its rights may be gone with it */
			after_loss(s);
		else
			after_denial(s);
		break;
	case VERDICT_MISSING:
		after_loss(s);
		break;
	case VERDICT_NO_WATCH_LIST:
		s->no_watch_list = true;
		if (s->status.code != 400) /* that may be the selectors' fault */
			streams_watch_list_refused(s->set);
		s->state = STREAM_QUEUED;
		stream_step(s);
		break;
	case VERDICT_STOP:
		stream_end(s);
		break;
	}
}
