/* SPDX-License-Identifier: Apache-2.0 */
#include "reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gap.h"
#include "snapshot.h"
#include "unfold.h"

/* A line longer than this is taken apart as it comes: it may be a List of any size. */
enum { LONG_LINE = 4 * 1024 * 1024 };

enum mode {
	LINES,
	IN_LONG_LINE,
	IN_INDENTED, /* within an indented document */
};

struct reader {
	struct kdiff *k;
	struct input in;
	struct unfold *unfold;
	enum mode mode;
	uint64_t line; /* number of the line at hand */
	/* Of the long line or the indented document. */
	uint64_t first_line;
	uint64_t first_byte;
	bool lost;       /* it is bad: the rest of it is passed over */
	bool line_begun; /* its last byte so far was a newline */
	/* Of the List being taken apart: what its items may lack, and their event's type. */
	enum event_type list_type;
	bool list_lost; /* what it is cannot be told: its items are passed over */
	struct buf list_head;
	struct buf item; /* an item with kind and apiVersion put in */
};

static unfold_item unfolded_item;

struct reader *
reader_open(struct kdiff *k, int fd)
{
	struct reader *r = calloc(1, sizeof(*r));

	if (r != NULL) {
		r->k = k;
		input_init(&r->in, fd, (size_t)2 * LONG_LINE);
		buf_init(&r->list_head, 4096);
		buf_init(&r->item, INPUT_MAX + 4096);
		r->unfold = unfold_open(2, INPUT_MAX, unfolded_item, r);
	}
	if (r == NULL || r->unfold == NULL) {
		log_error(&k->tool.log, "out of memory");
		free(r);
		return NULL;
	}
	return r;
}

void
reader_close(struct reader *r)
{
	if (r == NULL)
		return;
	input_free(&r->in);
	unfold_close(r->unfold);
	buf_free(&r->list_head);
	buf_free(&r->item);
	free(r);
}

struct input *
reader_input(struct reader *r)
{
	return &r->in;
}

/* Something could not be finished, for a reason that has been said. */
static int
failed(struct reader *r)
{
	r->k->broken = !r->k->gave_up;
	return -1;
}

/* Input is passed over. */
static int
lost(struct reader *r, const struct object *object)
{
	return gap_lost(r->k, object) == -1 ? failed(r) : 0;
}

/* Names what is bad; object: what is known of it, or NULL. 0 when it may be skipped, else -1. */
static int
bad_object(struct reader *r, uint64_t line, uint64_t offset, const char *why,
    const struct object *object)
{
	struct kdiff *k = r->k;

	log_error(&k->tool.log, "line %" PRIu64 " (byte %" PRIu64 "): %s", line, offset, why);
	k->count[COUNT_BAD].value++;
	if (streams_taint(k->streams) > 0)
		log_warning(&k->tool.log, "snapshots now under way will delete nothing");
	return k->tool.on_error == ON_ERROR_SKIP ? lost(r, object) : -1;
}

static int
bad(struct reader *r, uint64_t line, uint64_t offset, const char *why)
{
	return bad_object(r, line, offset, why, NULL);
}

/* What became of the object. why: where the judged call leaves it, so that it is read behind the
 * call. */
static int
judge(struct reader *r, enum change_result result, const struct object *object,
    const char *const *why)
{
	if (result == CHANGE_BAD)
		return bad_object(r, r->line, r->in.offset, *why, object);
	return result == CHANGE_FAILED ? failed(r) : 0;
}

/* The "Pod" of "PodList"; p NULL when there is none (a plain List: its items say it
 * themselves). */
static struct bytes
item_kind(const struct json_str *kind)
{
	static const char suffix[] = "List";
	size_t n = sizeof(suffix) - 1;

	if (kind->p == NULL || kind->len <= n ||
	    memcmp(kind->p + kind->len - n, suffix, n) != 0)
		return (struct bytes){NULL, 0};
	return (struct bytes){kind->p, kind->len - n};
}

static bool
is_list(const struct object *o)
{
	return o->items.p != NULL && o->uid.p == NULL &&
	       (item_kind(&o->kind).p != NULL || json_str_is(&o->kind, "List"));
}

/* Sets what the items of this list begin with when they lack it. */
static int
set_list_head(struct reader *r, const struct event *event)
{
	struct bytes kind = item_kind(&event->object.kind);

	r->list_type = event->type;
	r->list_head.len = 0;
	if (kind.p == NULL)
		return 0;
	if (buf_printf(&r->list_head, "{\"kind\":\"%.*s\",\"apiVersion\":\"%.*s\",",
		(int)kind.len, kind.p, (int)event->object.api_version.len,
		event->object.api_version.p != NULL ? event->object.api_version.p : "") == -1) {
		log_error(
		    &r->k->tool.log, "line %" PRIu64 ": the list's kind is too long", r->line);
		return -1;
	}
	return 0;
}

/* One item of a list, as an event of the list's type. */
static int
take_item(struct reader *r, const char *json, size_t len)
{
	struct object o;
	const char *why;
	size_t at;

	if (object_scan(json, len, &o, &why, &at) == -1)
		return bad(r, r->line, r->in.offset, why);
	if (o.kind.p == NULL && o.api_version.p == NULL && r->list_head.len > 0) {
		r->item.len = 0;
		buf_shrink(&r->item, LONG_LINE);
		if (buf_add(&r->item, r->list_head.data, r->list_head.len) == -1 ||
		    buf_add(&r->item, json + 1, len - 1) == -1) {
			log_error(
			    &r->k->tool.log, "cannot take a list's item: %s", strerror(errno));
			return -1;
		}
		if (object_scan(r->item.data, r->item.len, &o, &why, &at) == -1)
			return bad(r, r->line, r->in.offset, why);
	}
	r->k->count[COUNT_ADDED + r->list_type].value++;
	return judge(r, change_apply(r->k, r->list_type, &o, &why), &o, &why);
}

static int
take_list(struct reader *r, const struct event *event)
{
	struct json_range item;
	struct json j;

	if (set_list_head(r, event) == -1)
		return -1;
	json_init(&j, event->object.items.p, event->object.items.len);
	json_enter(&j, '[');
	while (json_element(&j) == 1 && json_skip(&j, &item) == 0) {
		if (take_item(r, item.p, item.len) == -1)
			return -1;
	}
	return j.error != NULL ? bad(r, r->line, r->in.offset, j.error) : 0;
}

static int
take_error(struct reader *r, const struct event *event)
{
	struct json_str message = {.p = NULL};
	struct json_str key;
	struct json j;

	json_init(&j, event->object.bytes.p, event->object.bytes.len);
	json_enter(&j, '{');
	while (json_member(&j, &key) == 1) {
		if (json_str_is(&key, "message") && json_peek(&j) == '"')
			json_string(&j, &message);
		else
			json_skip(&j, NULL);
	}
	log_warning(&r->k->tool.log, "line %" PRIu64 ": the watch ended with an error: %.*s",
	    r->line, message.p != NULL ? (int)message.len : 0,
	    message.p != NULL ? message.p : "");
	return 0;
}

/* A whole event, on a line or unfolded. offset: of its first byte in the input. */
static int
take_event(struct reader *r, const char *json, size_t len, uint64_t offset)
{
	struct event event;
	const char *why;
	size_t at;

	if (event_scan(json, len, &event, &why, &at) == -1)
		return bad(r, r->line, offset + at, why);
	switch (event.type) {
	case EVENT_ADDED:
	case EVENT_MODIFIED:
	case EVENT_DELETED:
		if (is_list(&event.object))
			return take_list(r, &event);
		r->k->count[COUNT_ADDED + event.type].value++;
		return judge(r, change_apply(r->k, event.type, &event.object, &why),
		    &event.object, &why);
	case EVENT_BOOKMARK:
		r->k->count[COUNT_BOOKMARK].value++;
		return judge(r, snapshot_mark(r->k, &event.object, &why), NULL, &why);
	default:
		return take_error(r, &event);
	}
}

/* What has come of the list's document so far, closed, tells what its items are. */
static int
take_list_begin(struct reader *r)
{
	struct event event;
	struct buf head;
	const char *why;
	const char *rest;
	size_t at;
	size_t len;
	int result;

	rest = unfold_rest(r->unfold, &len);
	buf_init(&head, len + 4);
	r->list_head.len = 0;
	r->list_lost = true;
	if (buf_add(&head, rest, len) == -1 || buf_add(&head, "]}}", 3) == -1) {
		log_error(&r->k->tool.log, "out of memory");
		result = -1;
	} else if (event_scan(head.data, head.len, &event, &why, &at) == -1) {
		result = bad(r, r->first_line, r->first_byte, why);
	} else if (event.type > EVENT_DELETED) {
		result = bad(r, r->first_line, r->first_byte, "a list is no BOOKMARK or ERROR");
	} else {
		result = set_list_head(r, &event);
		r->list_lost = false;
	}
	buf_free(&head);
	return result;
}

static int
unfolded_item(void *arg, const char *json, size_t len)
{
	struct reader *r = arg;

	if (unfold_items(r->unfold) == 1 && take_list_begin(r) == -1)
		return -1;
	return r->list_lost ? 0 : take_item(r, json, len);
}

static bool
is_blank(const char *line, size_t len)
{
	size_t i = 0;

	while (i < len && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r'))
		i++;
	return i == len;
}

/* An indented document begins with a line that has but the brace. */
static bool
is_indented(const char *line, size_t len)
{
	return len > 0 && line[0] == '{' && is_blank(line + 1, len - 1);
}

static void
begin_document(struct reader *r, enum mode mode)
{
	r->mode = mode;
	r->first_line = ++r->line;
	r->first_byte = r->in.offset;
	r->lost = false;
	r->line_begun = false;
}

/* Each returns 1 when it moved on, 0 when more input is needed, -1. */

static int
run_line(struct reader *r)
{
	struct input *in = &r->in;
	bool last = false;
	char *line;
	size_t len;
	int result;

	if (!input_line(in, &line, &len)) {
		if (input_len(in) >= LONG_LINE) {
			begin_document(r, IN_LONG_LINE);
			return 1;
		}
		if (!in->eof || input_len(in) == 0)
			return 0;
		line = in->data + in->begin;
		len = input_len(in);
		last = true;
	}
	if (is_indented(line, len) && !last) {
		begin_document(r, IN_INDENTED);
		return 1;
	}
	r->line++;
	result = len == 0 || is_blank(line, len) ? 0 : take_event(r, line, len, in->offset);
	input_take(in, len + !last);
	return result == -1 ? -1 : 1;
}

/* How many of the bytes may belong to the document; *cut: it cannot go on behind them. A long
 * line ends at its newline. Within an indented document no line begins with a brace that opens:
 * where one does, another document begins, and the end of this one (if it has not come yet) is
 * lost. */
static size_t
document_limit(const struct reader *r, const char *bytes, size_t len, bool *cut)
{
	const char *end;

	if (r->mode == IN_LONG_LINE) {
		end = memchr(bytes, '\n', len);
	} else if (r->line_begun && len > 0 && bytes[0] == '{') {
		end = bytes;
	} else {
		end = memmem(bytes, len, "\n{", 2);
		if (end != NULL)
			end++;
	}
	*cut = end != NULL || r->in.eof;
	return end != NULL ? (size_t)(end - bytes) : len;
}

/* A document that is not a List is an event like any other; of a List the items have been
 * taken. */
static int
take_document(struct reader *r)
{
	uint64_t line = r->line;
	struct event event;
	const char *why;
	size_t len;
	const char *rest = unfold_rest(r->unfold, &len);
	size_t at;
	int result = 0;

	r->line = r->first_line;
	if (unfold_items(r->unfold) == 0)
		result = take_event(r, rest, len, r->first_byte);
	else if (event_scan(rest, len, &event, &why, &at) == -1)
		result = bad(r, r->first_line, r->first_byte, why);
	r->line = line;
	return result;
}

/* Feeds *n bytes, which becomes how many of them were the document's. *end: it has ended, or it
 * must as it is cut. 0, or -1: not to be skipped. */
static int
feed_document(struct reader *r, const char *bytes, size_t *n, bool *end)
{
	long taken = unfold_feed(r->unfold, bytes, *n);
	const char *why = taken == -1 ? unfold_error(r->unfold) : "ends within a value";
	int result;

	if (taken == -1 && why == NULL)
		return -1;
	if (taken != -1 && unfold_done(r->unfold)) {
		*n = (size_t)taken;
		*end = true;
		result = take_document(r);
	} else if (taken == -1 || *end) {
		r->lost = true;
		result = bad(r, r->first_line, r->first_byte, why);
	} else {
		return 0;
	}
	unfold_reset(r->unfold);
	return result;
}

static int
run_document(struct reader *r)
{
	const char *bytes = input_data(&r->in);
	size_t len = input_len(&r->in);
	int result = 0;
	bool end;

	if (len == 0 && !r->in.eof)
		return 0;
	len = document_limit(r, bytes, len, &end);
	if (!r->lost)
		result = feed_document(r, bytes, &len, &end);
	for (const char *p = bytes; (p = memchr(p, '\n', (size_t)(bytes + len - p))) != NULL;
	     p++)
		r->line++;
	if (len > 0)
		r->line_begun = bytes[len - 1] == '\n';
	input_take(&r->in, len);
	if (end) {
		r->mode = LINES;
		r->line--; /* run_line counts the line that it stands on */
	}
	return result == -1 ? -1 : 1;
}

int
reader_run(struct reader *r)
{
	int more = 1;

	while (more == 1) {
		switch (r->mode) {
		case LINES:
			more = run_line(r);
			break;
		case IN_LONG_LINE:
		case IN_INDENTED:
			more = run_document(r);
			break;
		}
	}
	return more;
}
