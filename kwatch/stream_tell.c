/* SPDX-License-Identifier: Apache-2.0 */
/* What streams tell: marks to the reader, troubles to people. */
#include <string.h>

#include "stream.h"
#include "streams.h"

void
stream_complain(struct stream *s)
{
	if (s->complained || s->status.code == 0 || s->quiet)
		return;
	s->complained = true;
	log_warning(s->env->log, "%s: %ld %s: %s", s->name, s->status.code,
	    http_reason(s->status.code), s->status.message);
}

int
stream_output(struct stream *s, enum sink_result result)
{
	switch (result) {
	case SINK_OK:
		return 0;
	case SINK_MALFORMED:
		return stream_malformed(s, "a Secret", "it cannot be redacted");
	case SINK_FAILED:
		s->end = END_OUTPUT;
		break;
	}
	return -1;
}

int
stream_mark(struct stream *s, const char *mark, const char *reason, const char *version)
{
	struct mark m = {.stream = s->name,
	    .kind = s->type.kind,
	    .api_version = s->api_version,
	    .resource_version = version,
	    .mark = mark,
	    .reason = reason};

	return s->quiet ? 0 : stream_output(s, sink_mark(&s->env->sink, &m));
}

int
stream_malformed(struct stream *s, const char *what, const char *why)
{
	counts_add(&s->env->counts, COUNT_ERROR_MALFORMED, 1);
	if (!s->complained)
		log_warning(
		    s->env->log, "%s: %s is malformed: %s: asking again", s->name, what, why);
	s->complained = true;
	s->end = END_MALFORMED;
	return -1;
}

int
stream_set_version(char *to, const struct json_str *version)
{
	if (version->p == NULL || version->len == 0 || version->escaped ||
	    version->len >= RESOURCE_VERSION_MAX)
		return -1;
	memcpy(to, version->p, version->len);
	to[version->len] = '\0';
	return 0;
}

int
stream_resumed(struct stream *s)
{
	s->resumed = false;
	counts_add(&s->env->counts, COUNT_RESUMED, 1);
	return stream_mark(s, NULL, NULL, s->resource_version);
}

void
stream_healthy(struct stream *s)
{
	if (s->complained || s->denied)
		log_info(s->env->log, "%s: works again", s->name);
	s->complained = s->denied = s->tried_credentials = false;
	s->tries = 0;
	streams_reached(s->set);
}
