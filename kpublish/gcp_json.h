/* SPDX-License-Identifier: Apache-2.0 */
/* Single values out of the JSON of Google's APIs and credentials files. */
#ifndef GCP_JSON_H
#define GCP_JSON_H

#include <stddef.h>

/* The value at a path of at most two members ({"error", "message"}; second NULL: one): a string
 * without quotes and escapes, anything else as it stands. Memory of the caller's that ends in a
 * NUL. NULL: it is not there, is null, text is no JSON, or there is no memory. */
char *gcp_json_get(const char *text, size_t len, const char *first, const char *second);

/* How many strings the array has that is a member of the object; -1: there is none. */
int gcp_json_count(const char *text, size_t len, const char *member);

#endif
