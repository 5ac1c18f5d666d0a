/* SPDX-License-Identifier: Apache-2.0 */
#include "discover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discovery.h"
#include "status.h"
#include "text.h"

enum { ANSWER_MAX = 64 * 1024 * 1024, WHY_MAX = 2000, ANSWER_WHY_MAX = 1000 };

/* v2 is in 1.30 and later, v2beta1 in 1.26; the order of the parameters matters to the server.
 */
static const char accept_header[] =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json";

/* One request: /api, /apis, or the older form's one for a group and version. */
struct fetch {
	struct discover *d;
	struct fetch *next;
	struct transfer *transfer;
	char *path;
	char *group; /* NULL for /api and /apis */
	char *version;
	struct buf body;
	struct types types;
};

struct discover {
	struct env *env;
	discover_done *done;
	void *arg;
	struct fetch *first; /* in the order in which types are listed */
	struct fetch **last;
	size_t pending;
	bool failed;
	bool denied;
	char why[WHY_MAX];
};

static int
on_body(void *arg, const char *bytes, size_t n)
{
	struct fetch *f = arg;

	return buf_add(&f->body, bytes, n);
}

static void
fetch_free(struct fetch *f)
{
	http_cancel(f->d->env->http, f->transfer);
	free(f->path);
	free(f->group);
	free(f->version);
	buf_free(&f->body);
	types_free(&f->types);
	free(f);
}

static void
clear(struct discover *d)
{
	while (d->first != NULL) {
		struct fetch *f = d->first;

		d->first = f->next;
		fetch_free(f);
	}
	d->last = &d->first;
}

static void
fail(struct discover *d, const char *path, const char *why)
{
	if (!d->failed)
		snprintf(d->why, sizeof(d->why), "%.400s%.400s: %.1000s",
		    d->env->cluster.server, path, why);
	d->failed = true;
}

static void on_done(void *arg, const struct http_answer *answer);

static const struct http_handler handler = {on_body, on_done};

/* Begins a request; takes its strings. */
static void
fetch(struct discover *d, char *path, char *group, char *version)
{
	struct fetch *f = path != NULL ? calloc(1, sizeof(*f)) : NULL;

	if (f == NULL) {
		free(path);
		free(group);
		free(version);
		fail(d, "", "out of memory");
		return;
	}
	*f = (struct fetch){.d = d, .path = path, .group = group, .version = version};
	buf_init(&f->body, ANSWER_MAX);
	*d->last = f;
	d->last = &f->next;
	f->transfer = http_get(d->env->http, path, accept_header, HTTP_ANSWER, &handler, f);
	if (f->transfer == NULL)
		fail(d, path, "out of memory");
	else
		d->pending++;
}

static bool
known(const struct discover *d, const char *group, const char *version)
{
	for (const struct fetch *f = d->first; f != NULL; f = f->next)
		if (f->group != NULL && strcmp(f->group, group) == 0 &&
		    strcmp(f->version, version) == 0)
			return true;
	return false;
}

/* The older form: one more request for each group and version. */
static void
fetch_groups(struct discover *d, const struct fetch *root)
{
	char *list;
	char *rest;
	char *word;

	if (discovery_groups(root->body.data, root->body.len, &list) == -1) {
		fail(d, root->path, "malformed discovery");
		return;
	}
	rest = list;
	while ((word = strsep(&rest, ",")) != NULL) {
		char *slash = strchr(word, '/');

		if (slash == NULL)
			continue;
		*slash = '\0';
		if (known(d, word, slash + 1))
			continue;
		fetch(d,
		    *word == '\0' ? text_printf("/api/%s", slash + 1)
				  : text_printf("/apis/%s/%s", word, slash + 1),
		    strdup(word), strdup(slash + 1));
	}
	free(list);
}

static void
take_answer(struct fetch *f)
{
	struct discover *d = f->d;
	const char *text = f->body.data != NULL ? f->body.data : "";

	if (f->group != NULL) {
		if (discovery_resources(text, f->body.len, f->group, f->version, &f->types) ==
		    0)
			return;
		types_free(&f->types);
		types_mark_stale(&f->types, f->group, f->version);
	} else if (discovery_is_aggregated(text, f->body.len)) {
		if (discovery_aggregated(text, f->body.len, &f->types) == -1)
			fail(d, f->path, "malformed discovery");
	} else {
		fetch_groups(d, f);
	}
	buf_free(&f->body);
}

static void
take_refusal(struct fetch *f, const struct http_answer *answer)
{
	struct discover *d = f->d;
	char why[ANSWER_WHY_MAX];
	struct status status;

	counts_status(&d->env->counts, answer->status == 200 ? 0 : answer->status);
	if (f->group != NULL) { /* one group that is broken leaves the others */
		types_free(&f->types);
		types_mark_stale(&f->types, f->group, f->version);
		return;
	}
	if (answer->status == 0 || answer->status == 200) {
		fail(d, "", answer->error);
		return;
	}
	if (answer->status == 404 && strcmp(f->path, "/api") == 0)
		return; /* a server without the core group */
	if (answer->status == 401)
		cluster_refresh(&d->env->cluster, true);
	d->denied |= answer->status == 401 || answer->status == 403;
	status_parse(&status, answer->body, answer->len);
	snprintf(why, sizeof(why), "%ld %s: %s", answer->status, http_reason(answer->status),
	    status.message);
	fail(d, f->path, why);
}

static void
finish(struct discover *d)
{
	struct types types = {.list = NULL};

	for (struct fetch *f = d->first; f != NULL && !d->failed; f = f->next)
		if (types_append(&types, &f->types) == -1)
			fail(d, "", "out of memory");
	clear(d);
	if (d->failed)
		types_free(&types);
	else
		types_prefer(&types);
	counts_add(&d->env->counts, COUNT_DISCOVERIES, 1);
	d->done(d->arg, &types, d->failed ? d->why : NULL, d->denied);
}

static void
on_done(void *arg, const struct http_answer *answer)
{
	struct fetch *f = arg;
	struct discover *d = f->d;

	f->transfer = NULL;
	if (answer->complete && answer->status == 200)
		take_answer(f);
	else
		take_refusal(f, answer);
	if (--d->pending == 0)
		finish(d);
}

struct discover *
discover_open(struct env *env, discover_done *done, void *arg)
{
	struct discover *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	*d = (struct discover){.env = env, .done = done, .arg = arg, .last = &d->first};
	return d;
}

void
discover_close(struct discover *d)
{
	if (d == NULL)
		return;
	clear(d);
	free(d);
}

bool
discover_running(const struct discover *d)
{
	return d->pending > 0;
}

void
discover_start(struct discover *d)
{
	if (discover_running(d))
		return;
	clear(d);
	d->failed = d->denied = false;
	fetch(d, strdup("/api"), NULL, NULL);
	fetch(d, strdup("/apis"), NULL, NULL);
}
