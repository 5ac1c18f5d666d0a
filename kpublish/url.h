/* SPDX-License-Identifier: Apache-2.0 */
/* The URL that names a bus: SCHEME:REST, SCHEME://REST, with ?NAME=VALUE&… behind it. */
#ifndef URL_H
#define URL_H

#include <stddef.h>

enum { URL_PARAMS_MAX = 64 };

struct url_param {
	const char *name;
	const char *value; /* percent-decoded */
};

struct url {
	const char *scheme;
	const char *rest; /* between the scheme and the query; percent-decoded */
	struct url_param params[URL_PARAMS_MAX];
	size_t n_params;
	char *memory; /* owned: all the strings */
	char *shown;  /* owned: for messages, without query and user info */
};

/* 0; or -1 with *why a literal (errno has nothing to add). file: has no user info. */
int url_parse(struct url *url, const char *text, const char **why);
void url_free(struct url *url);

/* The value of the query parameter of that name; NULL when it is not there. */
const char *url_param(const struct url *url, const char *name);

/* The list of a bus that takes none. */
extern const char *const url_no_params[];

/* The first parameter that is not in the list of names, which ends with NULL; NULL: all are. */
const char *url_unknown_param(const struct url *url, const char *const *known);

/* Decodes %XX in place. -1 when two digits do not follow, or for a NUL. */
int url_percent_decode(char *text);

#endif
