/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <string.h>

#include "clock.h"
#include "input.h"
#include "streams.h"

enum { PARTIAL_KEEP = 64 * 1024 };

static int
on_bookmark(struct stream *s, const struct object *object)
{
	char version[RESOURCE_VERSION_MAX];
	struct json_str ends;

	if (stream_set_version(version, &object->resource_version) == -1)
		return stream_malformed(s, "a bookmark", "it has no resourceVersion");
	if (s->state == STREAM_SYNCING) {
		/* An ordinary bookmark among the initial events says nothing that may be kept.
		 */
		if (!object_annotation(object, "k8s.io/initial-events-end", &ends) ||
		    !json_str_is(&ends, "true"))
			return 0;
		return stream_synced(s, version);
	}
	memcpy(s->resource_version, version, sizeof(version));
	return stream_mark(s, NULL, NULL, s->resource_version);
}

static int
on_error(struct stream *s, const struct object *object)
{
	counts_add(&s->env->counts, COUNT_EVENTS + EVENT_ERROR, 1);
	status_parse(&s->status, object->bytes.p, object->bytes.len);
	s->end = END_REFUSED;
	return -1;
}

static int
on_line(struct stream *s, const char *line, size_t len)
{
	struct event event;
	const char *why;
	size_t at;

	if (event_scan(line, len, &event, &why, &at) == -1)
		return stream_malformed(s, "a watch event", why);
	if (event.type == EVENT_ERROR)
		return on_error(s, &event.object);
	if (event.object.kind.p == NULL || !json_str_is(&event.object.kind, s->type.kind))
		return stream_malformed(s, "a watch event", "another kind than asked for");
	s->events++;
	if (s->resumed && stream_resumed(s) == -1)
		return -1;
	if (event.type == EVENT_BOOKMARK)
		return on_bookmark(s, &event.object);
	if (s->state == STREAM_WATCHING) { /* initial events come in no order */
		if (stream_set_version(s->resource_version, &event.object.resource_version) ==
		    -1)
			return stream_malformed(
			    s, "a watch event", "it has no resourceVersion");
		streams_saw_change(s->set, s);
	}
	if (s->quiet)
		return 0;
	return stream_output(s, sink_event(&s->env->sink, line, len, &event));
}

/* Completes the line that the bytes before began. Returns how many bytes that took, -1 on
 * error. */
static long
finish_partial(struct stream *s, const char *bytes, size_t n)
{
	const char *newline = memchr(bytes, '\n', n);
	size_t take = newline != NULL ? (size_t)(newline - bytes) : n;

	if (take > 0 && buf_add(&s->partial, bytes, take) == -1)
		return stream_malformed(s, "a watch event", "the line is over 64 MiB");
	if (newline == NULL)
		return (long)n;
	if (on_line(s, s->partial.data, s->partial.len) == -1)
		return -1;
	s->partial.len = 0;
	buf_shrink(&s->partial, PARTIAL_KEEP);
	return (long)take + 1;
}

int
watch_body(void *arg, const char *bytes, size_t n)
{
	struct stream *s = arg;
	const char *end = bytes + n;
	const char *newline;

	if (s->state == STREAM_SYNCING) {
		s->deadline_ms = clock_ms() + STREAM_SILENCE_MS;
		if (!s->marked && stream_mark(s, "begin", NULL, s->resource_version) == -1)
			return -1;
		s->marked = true;
	} else {
		stream_healthy(s);
	}
	if (s->partial.len > 0) {
		long taken = finish_partial(s, bytes, n);

		if (taken == -1)
			return -1;
		bytes += taken;
	}
	while ((newline = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
		if (newline > bytes && on_line(s, bytes, (size_t)(newline - bytes)) == -1)
			return -1;
		bytes = newline + 1;
	}
	if (bytes < end && buf_add(&s->partial, bytes, (size_t)(end - bytes)) == -1)
		return stream_malformed(s, "a watch event", "no memory for the line");
	return 0;
}
