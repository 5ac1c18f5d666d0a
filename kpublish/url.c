/* SPDX-License-Identifier: Apache-2.0 */
#include "url.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const url_no_params[] = {NULL};

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
url_percent_decode(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++) {
		if (*text == '%') {
			int high = hex_digit(text[1]);
			int low = high != -1 ? hex_digit(text[2]) : -1;

			if (low == -1 || high * 16 + low == 0)
				return -1;
			*to++ = (char)(high * 16 + low);
			text += 2;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
	return 0;
}

static int
parse_query(struct url *url, char *query, const char **why)
{
	char *save = NULL;

	for (char *p = strtok_r(query, "&", &save); p != NULL; p = strtok_r(NULL, "&", &save)) {
		char *value = strchr(p, '=');

		*why = "a query parameter is wanted as NAME=VALUE";
		if (value == NULL || value == p)
			return -1;
		*value++ = '\0';
		*why = "a % in the query has no two hexadecimal digits behind it";
		if (url_percent_decode(p) == -1 || url_percent_decode(value) == -1)
			return -1;
		*why = "has too many query parameters";
		if (url->n_params == URL_PARAMS_MAX)
			return -1;
		url->params[url->n_params++] = (struct url_param){p, value};
	}
	return 0;
}

/* What people are shown: the URL as it was given, but for user info and query. A password may
 * have any character in it but a question mark, which has_stray_at is for. */
static char *
make_shown(const char *text, size_t scheme, bool is_file)
{
	const char *begin = text + scheme + 1;
	const char *end;
	const char *at;
	char *shown;

	if (strncmp(begin, "//", 2) == 0)
		begin += 2;
	end = begin + strcspn(begin, "?");
	at = is_file ? NULL : memrchr(begin, '@', (size_t)(end - begin));
	if (at == NULL)
		at = begin - 1;
	if (asprintf(&shown, "%.*s%.*s", (int)(begin - text), text, (int)(end - at - 1),
		at + 1) == -1)
		return NULL;
	return shown;
}

/* Could what looks like a query be a password's second half? */
static bool
has_stray_at(const char *rest, const char *query)
{
	return strpbrk(rest, ":@") != NULL && strchr(query, '@') != NULL;
}

int
url_parse(struct url *url, const char *text, const char **why)
{
	bool is_file;
	char *rest;
	char *query;

	*url = (struct url){.memory = strdup(text)};
	*why = "out of memory";
	if (url->memory == NULL)
		return -1;
	*why = "has no scheme";
	rest = strchr(url->memory, ':');
	if (rest == NULL || rest == url->memory)
		return -1;
	*rest++ = '\0';
	url->scheme = url->memory;
	is_file = strcmp(url->scheme, "file") == 0;
	*why = "out of memory";
	url->shown = make_shown(text, strlen(url->scheme), is_file);
	if (url->shown == NULL)
		return -1;
	if (strncmp(rest, "//", 2) == 0)
		rest += 2;
	url->rest = rest;
	query = strchr(rest, '?');
	if (query != NULL)
		*query++ = '\0';
	*why =
	    "has an @ behind a ?: in a user, a password or a value they are written as %40 and "
	    "%3F";
	if (query != NULL && !is_file && has_stray_at(rest, query))
		return -1;
	*why = "a % has no two hexadecimal digits behind it";
	if (url_percent_decode(rest) == -1)
		return -1;
	return query != NULL ? parse_query(url, query, why) : 0;
}

const char *
url_param(const struct url *url, const char *name)
{
	for (size_t i = 0; i < url->n_params; i++)
		if (strcmp(url->params[i].name, name) == 0)
			return url->params[i].value;
	return NULL;
}

static bool
is_listed(const char *const *names, const char *name)
{
	for (; *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

const char *
url_unknown_param(const struct url *url, const char *const *known)
{
	for (size_t i = 0; i < url->n_params; i++)
		if (!is_listed(known, url->params[i].name))
			return url->params[i].name;
	return NULL;
}

void
url_free(struct url *url)
{
	free(url->memory);
	free(url->shown);
	*url = (struct url){.memory = NULL};
}
