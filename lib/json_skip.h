/* SPDX-License-Identifier: Apache-2.0 */
/* The two loops of json.c that run over every byte. */
#ifndef JSON_SKIP_H
#define JSON_SKIP_H

#include "json.h"

/* j->p at a bracket: moves it behind the bracket that closes it. 0, or -1 with j->error. */
int json_skip_container(struct json *j);

/* j->p behind an opening quote: moves it behind the closing one. 0, or -1 with j->error.
 * *escaped: whether a backslash was passed. */
int json_skip_string(struct json *j, bool *escaped);

/* p at the byte behind a backslash: the length of the escape (1, or 5 for uXXXX), 0 if wrong.
 */
size_t json_escape_len(const char *p, const char *end);

#endif
