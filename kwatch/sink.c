/* SPDX-License-Identifier: Apache-2.0 */
#include "sink.h"

#include <errno.h>
#include <string.h>

#include "input.h"
#include "redact.h"
#include "text.h"

enum { SCRATCH_KEEP = 1024 * 1024 };

void
sink_init(
    struct sink *sink, int fd, bool show_secrets, struct counts *counts, const struct log *log)
{
	*sink = (struct sink){.counts = counts, .log = log, .show_secrets = show_secrets};
	out_init(&sink->out, fd);
	/* Each value may grow by a few bytes. */
	buf_init(&sink->scratch, 2 * INPUT_MAX);
	buf_init(&sink->head, TEXT_MAX);
}

void
sink_free(struct sink *sink)
{
	out_free(&sink->out);
	buf_free(&sink->scratch);
	buf_free(&sink->head);
}

static enum sink_result
failed(struct sink *sink)
{
	if (!sink->failed && errno != EPIPE)
		log_error(sink->log, "standard output: %s", strerror(errno));
	sink->failed = true;
	return SINK_FAILED;
}

static enum sink_result
add(struct sink *sink, const void *bytes, size_t n)
{
	counts_add(sink->counts, COUNT_BYTES, n);
	return out_add(&sink->out, bytes, n) == 0 ? SINK_OK : failed(sink);
}

/* Writes three parts: the middle one is the object or what it was redacted to. */
static enum sink_result
add_redacted(struct sink *sink, const char *before, size_t n_before,
    const struct object *object, const char *after, size_t n_after)
{
	sink->scratch.len = 0;
	buf_shrink(&sink->scratch, SCRATCH_KEEP);
	if (buf_add(&sink->scratch, before, n_before) == -1 ||
	    redact_object(object->bytes.p, object->bytes.len, &sink->scratch) == -1 ||
	    buf_add(&sink->scratch, after, n_after) == -1)
		return SINK_MALFORMED;
	return add(sink, sink->scratch.data, sink->scratch.len);
}

enum sink_result
sink_event(struct sink *sink, const char *line, size_t len, const struct event *event)
{
	const struct object *object = &event->object;
	const char *end = object->bytes.p + object->bytes.len;
	enum sink_result result;

	if (sink->failed)
		return SINK_FAILED;
	if (!sink->show_secrets && redact_needed(object))
		result = add_redacted(sink, line, (size_t)(object->bytes.p - line), object, end,
		    (size_t)(line + len - end));
	else
		result = add(sink, line, len);
	if (result == SINK_OK)
		counts_add(sink->counts, COUNT_EVENTS + (unsigned)event->type, 1);
	return result == SINK_OK ? add(sink, "\n", 1) : result;
}

/* {"type":"ADDED","object":{ and the members that the item lacks. */
static int
item_head(
    struct buf *head, const struct object *object, const char *kind, const char *api_version)
{
	bool empty = object->bytes.len == 2;
	int bad = buf_addstr(head, "{\"type\":\"ADDED\",\"object\":{");

	if (object->kind.p == NULL)
		bad |= buf_addstr(head, "\"kind\":") | text_add_json(head, kind) |
		       buf_addstr(head, ",");
	if (object->api_version.p == NULL)
		bad |= buf_addstr(head, "\"apiVersion\":") | text_add_json(head, api_version) |
		       buf_addstr(head, ",");
	if (bad == 0 && empty)
		head->len--; /* no member follows the comma */
	return bad;
}

enum sink_result
sink_item(
    struct sink *sink, const struct object *object, const char *kind, const char *api_version)
{
	bool secret = strcmp(object->kind.p == NULL ? kind : "", "Secret") == 0 &&
		      strcmp(api_version, "v1") == 0;
	struct buf *head = &sink->head;
	const char *item = object->bytes.p;
	size_t len = object->bytes.len;

	if (sink->failed)
		return SINK_FAILED;
	head->len = 0;
	if (item_head(head, object, kind, api_version) != 0)
		return SINK_MALFORMED;
	if (!sink->show_secrets && (secret || redact_needed(object))) {
		sink->scratch.len = 0;
		buf_shrink(&sink->scratch, SCRATCH_KEEP);
		if (redact_object(item, len, &sink->scratch) == -1)
			return SINK_MALFORMED;
		item = sink->scratch.data;
		len = sink->scratch.len;
	}
	counts_add(sink->counts, COUNT_EVENTS + EVENT_ADDED, 1);
	if (add(sink, head->data, head->len) != SINK_OK ||
	    add(sink, item + 1, len - 1) != SINK_OK)
		return SINK_FAILED;
	return add(sink, "}\n", 2);
}

enum sink_result
sink_mark(struct sink *sink, const struct mark *m)
{
	struct buf *line = &sink->scratch;
	int bad;

	if (sink->failed)
		return SINK_FAILED;
	line->len = 0;
	bad = buf_addstr(line, "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":") |
	      text_add_json(line, m->kind) | buf_addstr(line, ",\"apiVersion\":") |
	      text_add_json(line, m->api_version) |
	      buf_addstr(line, ",\"metadata\":{\"resourceVersion\":") |
	      text_add_json(line, m->resource_version) |
	      buf_addstr(line, ",\"annotations\":{\"kollect/stream\":") |
	      text_add_json(line, m->stream);
	if (m->mark != NULL)
		bad |= buf_addstr(line, ",\"kollect/mark\":") | text_add_json(line, m->mark);
	if (m->reason != NULL)
		bad |=
		    buf_addstr(line, ",\"kollect/reason\":") | text_add_json(line, m->reason);
	bad |= buf_addstr(line, "}}}}\n");
	if (bad != 0)
		return failed(sink);
	counts_add(sink->counts, COUNT_EVENTS + EVENT_BOOKMARK, 1);
	return add(sink, line->data, line->len);
}

static int
add_member(struct buf *line, const char *name, const struct json_str *value)
{
	return buf_printf(line, "\"%s\":\"", name) | buf_add(line, value->p, value->len) |
	       buf_addstr(line, "\",");
}

enum sink_result
sink_exists(struct sink *sink, const struct object *object, const char *stream,
    const char *kind, const char *api_version)
{
	struct buf *line = &sink->scratch;
	int bad;

	if (sink->failed)
		return SINK_FAILED;
	if (object->name.p == NULL || object->uid.p == NULL ||
	    object->resource_version.p == NULL)
		return SINK_MALFORMED;
	line->len = 0;
	bad = buf_addstr(line, "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":") |
	      text_add_json(line, kind) | buf_addstr(line, ",\"apiVersion\":") |
	      text_add_json(line, api_version) | buf_addstr(line, ",\"metadata\":{") |
	      add_member(line, "name", &object->name);
	if (object->ns.p != NULL)
		bad |= add_member(line, "namespace", &object->ns);
	bad |= add_member(line, "uid", &object->uid) |
	       add_member(line, "resourceVersion", &object->resource_version) |
	       buf_addstr(line, "\"annotations\":{\"kollect/stream\":") |
	       text_add_json(line, stream) |
	       buf_addstr(line, ",\"kollect/mark\":\"exists\"}}}}\n");
	if (bad != 0)
		return failed(sink);
	return add(sink, line->data, line->len);
}

enum sink_result
sink_flush(struct sink *sink)
{
	if (sink->failed)
		return SINK_FAILED;
	return out_flush(&sink->out) == 0 ? SINK_OK : failed(sink);
}
