/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_keys.h"

#include <stdlib.h>
#include <string.h>

#include "aws_xml.h"
#include "text.h"
#include "timefmt.h"

/* As they are read, NULL what has not come. */
struct parts {
	char *access;
	char *secret;
	char *token;
	char *expiration;
};

void
aws_keys_free(struct aws_keys *keys)
{
	free(keys->access);
	free(keys->secret);
	free(keys->token);
	*keys = (struct aws_keys){.access = NULL};
}

/* They stand in headers. */
static bool
is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

int
aws_keys_set(struct aws_keys *keys, const char *access, const char *secret, const char *token,
    const char **why)
{
	bool has_token = token != NULL && *token != '\0';

	*keys = (struct aws_keys){.access = NULL};
	*why = "the access key or the secret key is missing";
	if (access == NULL || *access == '\0' || secret == NULL || *secret == '\0')
		return -1;
	*why = "a space or another character that no key has stands in one";
	if (!is_plain(access) || !is_plain(secret) || (has_token && !is_plain(token)))
		return -1;
	keys->access = strdup(access);
	keys->secret = strdup(secret);
	keys->token = has_token ? strdup(token) : NULL;
	*why = "out of memory";
	if (keys->access != NULL && keys->secret != NULL && (keys->token != NULL || !has_token))
		return 0;
	aws_keys_free(keys);
	return -1;
}

static void
parts_free(struct parts *p)
{
	free(p->access);
	free(p->secret);
	free(p->token);
	free(p->expiration);
}

static int
set_from(struct aws_keys *keys, const struct parts *p, const char **why)
{
	struct timespec expires = {.tv_sec = 0};

	*keys = (struct aws_keys){.access = NULL};
	*why = "the expiration is no time";
	if (p->expiration != NULL &&
	    timefmt_parse(p->expiration, strlen(p->expiration), &expires) == -1)
		return -1;
	if (aws_keys_set(keys, p->access, p->secret, p->token, why) == -1)
		return -1;
	keys->expires = expires.tv_sec;
	return 0;
}

static char **
json_part(struct parts *p, const struct json_str *key)
{
	if (json_str_is(key, "AccessKeyId"))
		return &p->access;
	if (json_str_is(key, "SecretAccessKey"))
		return &p->secret;
	if (json_str_is(key, "Token"))
		return &p->token;
	return json_str_is(key, "Expiration") ? &p->expiration : NULL;
}

int
aws_keys_read_json(struct aws_keys *keys, const char *text, size_t len, const char **why)
{
	struct parts parts = {.access = NULL};
	struct json_str key;
	struct json_str str;
	struct json j;
	int result = -1;

	*keys = (struct aws_keys){.access = NULL};
	json_init(&j, text, len);
	json_enter(&j, '{');
	while (json_member(&j, &key) == 1) {
		char **part = json_part(&parts, &key);

		if (part == NULL || json_peek(&j) != '"')
			json_skip(&j, NULL);
		else if (json_string(&j, &str) == 0)
			text_set(part, text_dup(&str));
	}
	*why = "that is no JSON";
	if (json_end(&j) == 0)
		result = set_from(keys, &parts, why);
	parts_free(&parts);
	return result;
}

static void
on_element(void *arg, const char *path, const char *text, size_t len)
{
	static const char credentials[] = "AssumeRoleWithWebIdentityResult/Credentials/";
	struct parts *p = arg;
	const char *name = path + strlen(credentials);

	(void)len;
	if (strncmp(path, credentials, strlen(credentials)) != 0)
		return;
	if (strcmp(name, "AccessKeyId") == 0)
		text_set(&p->access, strdup(text));
	else if (strcmp(name, "SecretAccessKey") == 0)
		text_set(&p->secret, strdup(text));
	else if (strcmp(name, "SessionToken") == 0)
		text_set(&p->token, strdup(text));
	else if (strcmp(name, "Expiration") == 0)
		text_set(&p->expiration, strdup(text));
}

int
aws_keys_read_xml(struct aws_keys *keys, const char *text, size_t len, const char **why)
{
	struct parts parts = {.access = NULL};
	int result = -1;

	*keys = (struct aws_keys){.access = NULL};
	*why = "that is no XML";
	if (aws_xml_read(text, len, on_element, &parts) == 0)
		result = set_from(keys, &parts, why);
	parts_free(&parts);
	return result;
}
