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

char *
url_without_user_info(const char *list)
{
	size_t room = strlen(list) + 1;
	char *out = malloc(room);
	char *to = out;

	if (out == NULL)
		return NULL;
	while (*list != '\0') {
		size_t len = strcspn(list, ",");
		const char *host = memrchr(list, '@', len);
		const char *slashes = memmem(list, len, "://", 3);
		size_t scheme = slashes != NULL ? (size_t)(slashes - list) + 3 : 0;

		if (host != NULL) {
			memcpy(to, list, scheme);
			to += scheme;
			len -= (size_t)(host + 1 - list);
			list = host + 1;
		}
		memcpy(to, list, len);
		to += len;
		list += len;
		if (*list == ',')
			*to++ = *list++;
	}
	*to = '\0';
	return out;
}

/* What people are shown: the URL as it was given, but for user info and query. */
static int
make_shown(struct url *url, const char *text)
{
	char *plain = strdup(text);

	if (plain == NULL)
		return -1;
	if (strcmp(url->scheme, "file") != 0)
		plain[strcspn(plain, "?")] = '\0';
	url->shown = url_without_user_info(plain);
	free(plain);
	return url->shown == NULL ? -1 : 0;
}

int
url_parse(struct url *url, const char *text, const char **why)
{
	char *colon;
	char *rest;
	char *query;

	*url = (struct url){.memory = strdup(text)};
	*why = "out of memory";
	if (url->memory == NULL)
		return -1;
	*why = "has no scheme";
	colon = strchr(url->memory, ':');
	if (colon == NULL || colon == url->memory)
		return -1;
	*colon = '\0';
	url->scheme = url->memory;
	*why = "out of memory";
	if (make_shown(url, text) == -1)
		return -1;
	rest = colon + 1;
	if (strncmp(rest, "//", 2) == 0)
		rest += 2;
	url->rest = rest;
	if (strcmp(url->scheme, "file") == 0)
		return 0;
	query = strchr(rest, '?');
	if (query != NULL)
		*query++ = '\0';
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
