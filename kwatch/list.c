/* SPDX-License-Identifier: Apache-2.0 */
#include "list.h"

#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "list_meta.h"
#include "text.h"

/* Pages begin small, since an object may have 1.5 MiB and the server holds a page in memory,
 * and then grow towards PAGE_BYTES: large pages cost the server half of what small ones do. */
enum { PAGE_FIRST = 500, PAGE_LARGEST = 5000, PAGE_BYTES = 16 * 1024 * 1024 };

static int
on_item(void *arg, const char *json, size_t len)
{
	struct stream *s = arg;
	struct object object;
	const char *why;
	size_t at;

	s->page_items++;
	s->page_bytes += len;
	if (object_scan(json, len, &object, &why, &at) == -1)
		return stream_malformed(s, "an item of the list", why);
	if (s->quiet)
		return 0;
	return stream_output(
	    s, sink_item(&s->env->sink, &object, s->type.kind, s->api_version));
}

int
list_begin(struct stream *s)
{
	if (s->next_page == NULL) {
		s->marked = false;
		s->limit = s->env->opt.page_size > 0 ? s->env->opt.page_size : PAGE_FIRST;
	}
	s->page_items = s->page_bytes = 0;
	if (s->unfold == NULL)
		s->unfold = unfold_open(1, INPUT_MAX, on_item, s);
	else
		unfold_reset(s->unfold);
	return s->unfold != NULL ? 0 : -1;
}

int
list_body(void *arg, const char *bytes, size_t n)
{
	struct stream *s = arg;
	long taken;

	if (!s->marked && stream_mark(s, "begin", NULL, s->resource_version) == -1)
		return -1;
	s->marked = true;
	taken = unfold_feed(s->unfold, bytes, n);
	if (taken == (long)n)
		return 0;
	if (taken == -1) {
		const char *why = unfold_error(s->unfold);

		return why != NULL ? stream_malformed(s, "the list", why) : -1;
	}
	/* The server ends a list with a newline. */
	while ((size_t)taken < n && strchr(" \t\r\n", bytes[taken]) != NULL &&
	       bytes[taken] != '\0')
		taken++;
	return (size_t)taken == n ? 0 : stream_malformed(s, "the list", "more after its end");
}

/* The size of the next page, out of what the items of this one weigh. */
static void
set_limit(struct stream *s)
{
	size_t mean;

	if (s->env->opt.page_size > 0 || s->page_items == 0)
		return;
	mean = s->page_bytes / s->page_items + 1;
	if (mean >= PAGE_BYTES / PAGE_FIRST)
		s->limit = PAGE_FIRST;
	else if (mean <= PAGE_BYTES / PAGE_LARGEST)
		s->limit = PAGE_LARGEST;
	else
		s->limit = (long)(PAGE_BYTES / mean);
}

enum list_result
list_end(struct stream *s)
{
	struct list_meta meta;
	size_t len;
	const char *rest;
	bool first = s->next_page == NULL;

	if (!unfold_done(s->unfold)) {
		stream_malformed(s, "the list", "it ends too early");
		return LIST_BROKEN;
	}
	rest = unfold_rest(s->unfold, &len);
	if (list_meta_read(&meta, rest, len) == -1 || meta.kind.p == NULL ||
	    json_str_is(&meta.kind, "Table") || json_str_is(&meta.kind, "Status") ||
	    (first && meta.version.p != NULL &&
		stream_set_version(s->list_version, &meta.version) == -1)) {
		stream_malformed(s, "the list", "its metadata is not a list's");
		return LIST_BROKEN;
	}
	if (first && meta.version.p == NULL)
		s->list_version[0] = '\0';
	text_set(&s->next_page, NULL);
	if (meta.next.p == NULL || meta.next.len == 0)
		return LIST_LAST;
	set_limit(s);
	s->next_page = text_dup(&meta.next);
	return s->next_page != NULL ? LIST_MORE : LIST_BROKEN;
}
