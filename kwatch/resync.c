/* SPDX-License-Identifier: Apache-2.0 */
#include "resync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"

enum { NAME_MAX_BYTES = 128 * 1024 };

struct resync {
	struct env *env;
	struct streams *set;
	struct input in;
	bool open;
};

struct resync *
resync_open(struct env *env, struct streams *set)
{
	struct resync *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->env = env;
	r->set = set;
	r->open = env->opt.resync_fd != -1;
	input_init(&r->in, env->opt.resync_fd, NAME_MAX_BYTES);
	http_wake_on(env->http, env->opt.resync_fd);
	return r;
}

void
resync_close(struct resync *r)
{
	if (r == NULL)
		return;
	input_free(&r->in);
	free(r);
}

/* Whoever asked has ended, or cannot be understood any more: the watches go on. */
static void
stop_reading(struct resync *r, const char *why)
{
	if (why != NULL)
		log_warning(r->env->log, "--resync-fd: %s: reading no more of it", why);
	http_wake_on(r->env->http, -1);
	r->open = false;
}

static void
take_name(struct resync *r, const char *name)
{
	struct stream *s = streams_named(r->set, name);

	if (s == NULL) {
		log_warning(r->env->log, "--resync-fd: %s: there is no such stream", name);
		return;
	}
	if (r->env->opt.verbose)
		log_info(r->env->log, "%s: taking a snapshot, as asked for", s->name);
	stream_resync(s);
}

static void
take_names(struct resync *r)
{
	char *name;
	size_t len;

	while (input_line(&r->in, &name, &len)) {
		name[len] = '\0';
		take_name(r, name);
		input_take(&r->in, len + 1);
	}
}

void
resync_tick(struct resync *r)
{
	while (r->open && input_ready(&r->in, -1, 0)) {
		switch (input_fill(&r->in)) {
		case INPUT_OK:
			take_names(r);
			break;
		case INPUT_AGAIN:
			return;
		case INPUT_EOF:
			stop_reading(r, NULL);
			break;
		case INPUT_FULL:
			stop_reading(r, "the line is too long");
			break;
		case INPUT_ERROR:
			stop_reading(r, strerror(errno));
			break;
		}
	}
}
