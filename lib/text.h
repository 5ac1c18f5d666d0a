/* SPDX-License-Identifier: Apache-2.0 */
/* Small text work: JSON strings and comma lists as C strings, URL query values. */
#ifndef TEXT_H
#define TEXT_H

#include "buf.h"
#include "json.h"

enum { TEXT_MAX = 1024 * 1024 }; /* cap of the buffers that these functions fill */

/* A printf into memory of the caller's; NULL when out of memory. */
char *text_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The string without its escapes, NUL-terminated (a NUL inside ends it early); the caller
 * frees. An absent string gives "". NULL when out of memory. */
char *text_dup(const struct json_str *str);

/* Frees *to and puts text there (takes it; NULL, which an allocation gave, stays NULL). */
void text_set(char **to, char *text);

/* Is word, whatever its case, in the comma-separated list? Empty words are in none. */
bool text_in_list(const char *list, const char *word);

/* The walk's next value, an array of strings, as a comma-separated list that the caller frees;
 * "" when it is no array. NULL when out of memory. */
char *text_read_list(struct json *j);

/* Appends text as a JSON string, quotes included. 0 or -1. */
int text_add_json(struct buf *buf, const char *text);
/* Appends text as a value in a URL's query (RFC 3986: all but unreserved is escaped). 0 or -1.
 */
int text_add_query(struct buf *buf, const char *text);

#endif
