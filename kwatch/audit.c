/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "input.h"
#include "list_meta.h"
#include "text.h"
#include "unfold.h"

enum {
	PAGE = 1000, /* objects; of metadata alone, but the server still reads them whole */
	SPACING_LEAST = 100, /* ms between two streams, however short the interval */
	EMPTY_MS = 1000,     /* until it is looked again when no stream is complete */
};

/* A server that cannot leave the rest of an object away sends it whole, and that is good as well.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches */
static const char accept_header[] =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

struct audit {
	struct env *env;
	struct streams *set;
	int64_t next_ms; /* when the next stream's turn is; 0: not known yet */

	/* The stream at hand. It may end, or take a snapshot, at any time. */
	char *name;                       /* NULL: none is at hand */
	unsigned snapshots;               /* that it had begun then */
	char known[RESOURCE_VERSION_MAX]; /* where it had come to when the list was asked for */
	char version[RESOURCE_VERSION_MAX]; /* of the list; "": not known yet */
	struct transfer *transfer;
	struct unfold *unfold;
	char *next_page;
	bool went_back;  /* the list is older than what the stream had come to */
	const char *why; /* the list is of no use for that reason, a literal */
};

struct audit *
audit_open(struct env *env, struct streams *set)
{
	struct audit *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->env = env;
	a->set = set;
	return a;
}

static void
clear(struct audit *a)
{
	http_cancel(a->env->http, a->transfer);
	a->transfer = NULL;
	unfold_close(a->unfold);
	a->unfold = NULL;
	text_set(&a->name, NULL);
	text_set(&a->next_page, NULL);
	a->version[0] = '\0';
	a->went_back = false;
	a->why = NULL;
}

void
audit_close(struct audit *a)
{
	if (a == NULL)
		return;
	clear(a);
	free(a);
}

/* The stream at hand; NULL: it has ended, or taken a snapshot since, which says all that an audit
 * could. */
static struct stream *
at_hand(const struct audit *a)
{
	struct stream *s = streams_named(a->set, a->name);

	return s != NULL && s->snapshots == a->snapshots && stream_complete(s) ? s : NULL;
}

/* Is a resourceVersion older than another one, as far as that can be told (KEP-5504)? */
static bool
is_older(const char *a, const char *b)
{
	static const char digits[] = "0123456789";
	size_t n = strlen(a);
	size_t m = strlen(b);

	if (n == 0 || a[0] == '0' || strspn(a, digits) != n || strspn(b, digits) != m)
		return false;
	return n != m ? n < m : strcmp(a, b) < 0;
}

static int
mark(const struct audit *a, struct stream *s, const char *name)
{
	return stream_mark(s, name, NULL, a->version);
}

/* The list has begun: its resourceVersion, and the first mark. 0; -1: it is of no use. */
static int
begin(struct audit *a, struct stream *s)
{
	struct list_meta meta;
	size_t len;
	const char *rest = unfold_rest(a->unfold, &len);

	/* The walk fails where the items would go on; what it wants stands before. */
	(void)list_meta_read(&meta, rest, len);
	if (stream_set_version(a->version, &meta.version) == -1) {
		a->why = "its list does not begin with its metadata";
		return -1;
	}
	a->went_back = is_older(a->version, a->known);
	return a->went_back ? -1 : mark(a, s, "audit");
}

static int
on_item(void *arg, const char *json, size_t len)
{
	struct audit *a = arg;
	struct stream *s = at_hand(a);
	struct object object;
	size_t at;

	if (s == NULL || (a->version[0] == '\0' && begin(a, s) == -1))
		return -1;
	if (object_scan(json, len, &object, &a->why, &at) == -1)
		return -1;
	if (sink_exists(&a->env->sink, &object, s->name, s->type.kind, s->api_version) ==
	    SINK_OK)
		return 0;
	a->why = "an object has no name, uid or resourceVersion";
	return -1;
}

static int
on_body(void *arg, const char *bytes, size_t n)
{
	struct audit *a = arg;

	/* Behind the list's end there is a newline at most. */
	if (unfold_done(a->unfold))
		return 0;
	return unfold_feed(a->unfold, bytes, n) == -1 ? -1 : 0;
}

static void on_done(void *arg, const struct http_answer *answer);

static const struct http_handler handler = {on_body, on_done};

/* Asks for the next page. 0 or -1 (out of memory). */
static int
ask(struct audit *a, const struct stream *s)
{
	struct buf path;
	int bad;

	buf_init(&path, TEXT_MAX);
	bad = buf_printf(&path, "%s%climit=%ld", s->name, *s->selectors != '\0' ? '&' : '?',
	    a->env->opt.page_size > 0 ? a->env->opt.page_size : (long)PAGE);
	if (a->next_page != NULL)
		bad |= buf_addstr(&path, "&continue=") | text_add_query(&path, a->next_page);
	bad |= buf_terminate(&path);
	if (a->unfold == NULL)
		a->unfold = unfold_open(1, INPUT_MAX, on_item, a);
	else
		unfold_reset(a->unfold);
	if (bad == 0 && a->unfold != NULL)
		a->transfer =
		    http_get(a->env->http, path.data, accept_header, HTTP_ANSWER, &handler, a);
	buf_free(&path);
	return a->transfer != NULL ? 0 : -1;
}

/* The page is there. 1: another one has been asked for; 0: it was the last; -1: it is of no
 * use. */
static int
end_page(struct audit *a, struct stream *s)
{
	struct list_meta meta;
	size_t len;
	const char *rest;

	if (!unfold_done(a->unfold))
		return -1;
	rest = unfold_rest(a->unfold, &len);
	if (list_meta_read(&meta, rest, len) == -1 ||
	    (a->version[0] == '\0' && begin(a, s) == -1))
		return -1;
	text_set(&a->next_page, NULL);
	if (meta.next.p == NULL || meta.next.len == 0)
		return 0;
	a->next_page = text_dup(&meta.next);
	return a->next_page != NULL && ask(a, s) == 0 ? 1 : -1;
}

/* What has come is compared, or, without the last mark, forgotten: another time. */
static void
finish(struct audit *a, struct stream *s, bool complete)
{
	bool went_back = a->went_back;

	if (complete && mark(a, s, "audited") == 0) {
		counts_add(&a->env->counts, COUNT_AUDITS, 1);
		s->audit_failed = false;
	}
	clear(a);
	a->next_ms = 0;
	if (went_back)
		stream_went_back(s);
}

/* Says it once, until an audit of the stream has worked. */
static void
complain(const struct audit *a, struct stream *s, const struct http_answer *answer)
{
	const char *why = a->why;

	if (why == NULL && answer->status != 0 && answer->status != 200)
		why = http_reason(answer->status);
	else if (why == NULL)
		why = answer->complete ? "its list is malformed" : answer->error;
	if (!s->audit_failed)
		log_warning(
		    a->env->log, "%s: it cannot be audited: %s: trying again", s->name, why);
	s->audit_failed = true;
}

static void
on_done(void *arg, const struct http_answer *answer)
{
	struct audit *a = arg;
	struct stream *s = at_hand(a);
	int more = -1;

	a->transfer = NULL;
	if (s != NULL && answer->status == 200 && answer->complete)
		more = end_page(a, s);
	if (s != NULL && more == -1 && !a->went_back)
		complain(a, s, answer);
	if (more != 1)
		finish(a, s, more == 0);
}

static void
start(struct audit *a, struct stream *s, int64_t now)
{
	s->audited_ms = now;
	a->name = strdup(s->name);
	a->snapshots = s->snapshots;
	memcpy(a->known, s->resource_version, sizeof(a->known));
	if (a->name == NULL || ask(a, s) == -1)
		finish(a, s, false);
}

int
audit_tick(struct audit *a)
{
	int64_t interval = a->env->opt.audit_ms;
	int64_t now = clock_ms();
	struct stream *s;
	size_t n;

	if (interval == 0 || a->name != NULL)
		return -1;
	if (a->next_ms == 0) {
		n = streams_complete(a->set, &s);
		a->next_ms = now + (n == 0 ? EMPTY_MS : interval / (int64_t)n);
		if (a->next_ms < now + SPACING_LEAST)
			a->next_ms = now + SPACING_LEAST;
	} else if (a->next_ms <= now) {
		a->next_ms = 0;
		if (streams_complete(a->set, &s) > 0)
			start(a, s, now);
		return 0;
	}
	return (int)(a->next_ms - now);
}
