/* SPDX-License-Identifier: Apache-2.0 */
/* Takes a List apart while it comes in, item by item, so that no list is ever held in memory.
 *
 * Works on a LIST's body ({"kind":…,"metadata":…,"items":[…]}, in any member order) and on a
 * watch event whose object is such a List (what `kubectl get -w --output-watch-events` begins
 * with). White space between tokens is removed on the way: kubectl indents, the API server does
 * not. (The tokens are for the caller to check: a wrong 1 2 comes out as 12.)
 *
 * The rest, everything but the items ("items":[] stays in its place), is gathered and handed
 * out at the end; what has come of it so far can be looked at while items are handed out. */
#ifndef UNFOLD_H
#define UNFOLD_H

#include <stddef.h>

/* One item's compact JSON, borrowed for the call. Nothing but its nesting has been checked yet.
 * Returns 0, or -1 to stop unfold_feed with -1 (why is then left alone). */
typedef int unfold_item(void *arg, const char *json, size_t len);

struct unfold;

/* level: how deep the member "items" stands: 1 in a LIST's body, 2 in an event's object.
 * max: cap in bytes for one item, and for the rest. NULL with errno when out of memory. */
struct unfold *unfold_open(int level, size_t max, unfold_item *item, void *arg);
void unfold_close(struct unfold *u);

/* Takes n more bytes. Returns how many of them were taken: all, or fewer when the document
 * ended among them (then unfold_done is true; the next byte begins something else). -1: see
 * unfold_error; the document is lost, unfold_reset before the next. */
long unfold_feed(struct unfold *u, const char *bytes, size_t n);

/* The document is complete. */
int unfold_done(const struct unfold *u);
/* What is wrong (a literal), or NULL when an item callback stopped it. */
const char *unfold_error(const struct unfold *u);
/* The rest as gathered so far (complete once done). Borrowed until the next call. */
const char *unfold_rest(const struct unfold *u, size_t *len);
/* How many items were handed out of this document. */
size_t unfold_items(const struct unfold *u);
/* Ready for another document. */
void unfold_reset(struct unfold *u);

#endif
