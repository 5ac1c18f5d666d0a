/* SPDX-License-Identifier: Apache-2.0 */
/* What a LIST says about itself, beside its items. */
#ifndef LIST_META_H
#define LIST_META_H

#include "json.h"

/* Borrow the text; absent ones have p == NULL. */
struct list_meta {
	struct json_str kind;
	struct json_str version; /* metadata.resourceVersion */
	struct json_str next;    /* metadata.continue */
};

/* Reads a list's document without its items, as unfold_rest has it. 0; -1: it is malformed, or not
 * complete yet: what came before that is set all the same. */
int list_meta_read(struct list_meta *meta, const char *text, size_t len);

#endif
