/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a LIST, taken apart item by item while it comes in. */
#ifndef LIST_H
#define LIST_H

#include "stream.h"

/* Begins a page. 0 or -1 (out of memory). */
int list_begin(struct stream *s);
/* An http_handler's body. */
int list_body(void *arg, const char *bytes, size_t n);

enum list_result {
	LIST_MORE, /* s->next_page is set */
	LIST_LAST,
	LIST_BROKEN, /* reported */
};

/* The body is complete: reads its metadata. */
enum list_result list_end(struct stream *s);

#endif
