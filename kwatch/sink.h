/* SPDX-License-Identifier: Apache-2.0 */
/* What goes to standard output: the server's events, items of lists as events, and kwatch's own
 * marks (kollect(5)). Secrets are redacted here, so that none passes on any way. */
#ifndef SINK_H
#define SINK_H

#include "counts.h"
#include "event.h"
#include "log.h"
#include "out.h"

struct sink {
	struct out out;
	struct buf scratch; /* one redacted object, or a mark */
	struct buf head;    /* what is put in front of a list's item */
	struct counts *counts;
	const struct log *log;
	bool show_secrets;
	bool failed; /* standard output cannot be written to: nothing more will be */
};

/* What a mark is about; all borrowed. */
struct mark {
	const char *stream;
	const char *kind;
	const char *api_version;
	const char *resource_version; /* "" where none is known */
	const char *mark; /* begin, end, gone, gap, audit, audited; NULL: how far it has come */
	const char *reason; /* for gap; else NULL */
};

void sink_init(
    struct sink *sink, int fd, bool show_secrets, struct counts *counts, const struct log *log);
void sink_free(struct sink *sink);

enum sink_result {
	SINK_OK,
	SINK_MALFORMED, /* a Secret that cannot be redacted, say: it was not written */
	SINK_FAILED,    /* standard output has failed; a message was written unless by EPIPE */
};

/* A whole line of the server's, without its newline, and what event_scan made of it. */
enum sink_result sink_event(
    struct sink *sink, const char *line, size_t len, const struct event *event);
/* An item of a list, as ADDED, with the kind and apiVersion that it lacks. */
enum sink_result sink_item(
    struct sink *sink, const struct object *object, const char *kind, const char *api_version);
enum sink_result sink_mark(struct sink *sink, const struct mark *mark);
/* The mark that the object exists, by its metadata alone; kind and apiVersion are those of the
 * stream. Its name, uid and resourceVersion must be there: SINK_MALFORMED else. */
enum sink_result sink_exists(struct sink *sink, const struct object *object, const char *stream,
    const char *kind, const char *api_version);

/* Writes what is pending. */
enum sink_result sink_flush(struct sink *sink);

#endif
