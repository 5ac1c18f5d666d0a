/* SPDX-License-Identifier: Apache-2.0 */
#include "gcp_credentials.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "gcp_json.h"
#include "gcp_jwt.h"
#include "text.h"

enum { FILE_SIZE_MAX = 1024 * 1024 };

static const char default_universe[] = "googleapis.com";
static const char default_token_uri[] = "https://oauth2.googleapis.com/token";

#define FIELD(member) offsetof(struct gcp_credentials, member)

/* What is read of each kind, and what it cannot be without. */
struct member {
	const char *first;
	const char *second; /* within first; NULL: first is it */
	size_t to;          /* the offset of a char * */
	bool needed;
};

static const struct member common[] = {
    {"quota_project_id", NULL, FIELD(quota_project), false},
    {"universe_domain", NULL, FIELD(universe), false},
    {NULL, NULL, 0, false},
};

static const struct member service_account[] = {
    {"client_email", NULL, FIELD(email), true},
    {"private_key", NULL, FIELD(key), true},
    {"private_key_id", NULL, FIELD(key_id), false},
    {"token_uri", NULL, FIELD(token_uri), false},
    {NULL, NULL, 0, false},
};

static const struct member authorized_user[] = {
    {"client_id", NULL, FIELD(client_id), true},
    {"client_secret", NULL, FIELD(client_secret), true},
    {"refresh_token", NULL, FIELD(refresh_token), true},
    {"token_uri", NULL, FIELD(token_uri), false},
    {NULL, NULL, 0, false},
};

static const struct member external_account[] = {
    {"audience", NULL, FIELD(audience), true},
    {"subject_token_type", NULL, FIELD(subject_type), true},
    {"token_url", NULL, FIELD(token_uri), true},
    {"service_account_impersonation_url", NULL, FIELD(impersonation_url), false},
    {"credential_source", "file", FIELD(source_file), false},
    {"credential_source", "url", FIELD(source_url), false},
    {"credential_source", "headers", FIELD(source_headers), false},
    {NULL, NULL, 0, false},
};

static const struct {
	const char *type;
	enum gcp_kind kind;
	const struct member *members;
} kinds[] = {
    {"service_account", GCP_SERVICE_ACCOUNT, service_account},
    {"authorized_user", GCP_AUTHORIZED_USER, authorized_user},
    {"external_account", GCP_EXTERNAL_ACCOUNT, external_account},
};

static char *
usual_universe(void)
{
	const char *variable = getenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN");

	return strdup(variable != NULL && *variable != '\0' ? variable : default_universe);
}

static char **
field(struct gcp_credentials *c, size_t offset)
{
	return (char **)(void *)((char *)c + offset);
}

static int
read_members(struct gcp_credentials *c, const struct member *m, const char *text, size_t len,
    char *why, size_t size)
{
	for (; m->first != NULL; m++) {
		char **to = field(c, m->to);

		text_set(to, gcp_json_get(text, len, m->first, m->second));
		if (*to == NULL && m->needed) {
			snprintf(why, size, "lacks \"%s\"", m->first);
			return -1;
		}
	}
	return 0;
}

/* {"type": "json", "subject_token_field_name": …} or {"type": "text"} */
static int
read_format(struct gcp_credentials *c, const char *text, size_t len, char *why, size_t size)
{
	char *format = gcp_json_get(text, len, "credential_source", "format");
	char *type = NULL;
	int result = 0;

	if (format == NULL)
		return 0;
	type = gcp_json_get(format, strlen(format), "type", NULL);
	if (type != NULL && strcmp(type, "json") == 0) {
		c->source_field =
		    gcp_json_get(format, strlen(format), "subject_token_field_name", NULL);
		if (c->source_field == NULL)
			result = -1;
	} else if (type != NULL && strcmp(type, "text") != 0) {
		result = -1;
	}
	if (result == -1)
		snprintf(why, size,
		    "has a credential_source.format that is neither \"text\" nor \"json\" with "
		    "a subject_token_field_name");
	free(format);
	free(type);
	return result;
}

static int
check_headers(const struct gcp_credentials *c, char *why, size_t size)
{
	struct json_str str;
	struct json j;
	int n = 0;

	if (c->source_headers == NULL)
		return 0;
	json_init(&j, c->source_headers, strlen(c->source_headers));
	json_enter(&j, '{');
	while (json_member(&j, &str) == 1 && json_string(&j, &str) == 0)
		n++;
	if (json_end(&j) == 0 && n <= GCP_HEADERS_MAX)
		return 0;
	snprintf(why, size,
	    "has credential_source.headers that are no object of %d strings at most",
	    GCP_HEADERS_MAX);
	return -1;
}

static int
check_external(struct gcp_credentials *c, const char *text, size_t len, char *why, size_t size)
{
	static const struct {
		const char *member;
		const char *what;
	} others[] = {{"environment_id", "AWS"}, {"executable", "a program to run"},
	    {"certificate", "a certificate"}};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		char *other = gcp_json_get(text, len, "credential_source", others[i].member);

		if (other != NULL) {
			snprintf(why, size,
			    "has %s (\"%s\") as credential_source, which kpublish does not "
			    "know: only \"file\" and \"url\"",
			    others[i].what, others[i].member);
			free(other);
			return -1;
		}
	}
	if (c->source_file == NULL && c->source_url == NULL) {
		snprintf(why, size, "has neither \"file\" nor \"url\" in credential_source");
		return -1;
	}
	if (check_headers(c, why, size) == -1)
		return -1;
	return read_format(c, text, len, why, size);
}

static int
check(struct gcp_credentials *c, const char *text, size_t len, char *why, size_t size)
{
	if (c->universe == NULL)
		c->universe = usual_universe();
	if (c->token_uri == NULL)
		c->token_uri = strdup(default_token_uri);
	if (c->universe == NULL || c->token_uri == NULL) {
		snprintf(why, size, "out of memory");
		return -1;
	}
	if (c->kind == GCP_EXTERNAL_ACCOUNT)
		return check_external(c, text, len, why, size);
	if (c->kind == GCP_SERVICE_ACCOUNT && !gcp_jwt_key_valid(c->key)) {
		snprintf(why, size, "has a \"private_key\" that is no RSA key in PEM");
		return -1;
	}
	return 0;
}

int
gcp_credentials_read(
    struct gcp_credentials *c, const char *text, size_t len, char *why, size_t size)
{
	char *type = gcp_json_get(text, len, "type", NULL);
	const struct member *members = NULL;

	*c = (struct gcp_credentials){.kind = GCP_METADATA};
	for (size_t i = 0; type != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(type, kinds[i].type) == 0) {
			c->kind = kinds[i].kind;
			members = kinds[i].members;
		}
	}
	if (type == NULL)
		snprintf(why, size, "is no JSON object with a \"type\"");
	else if (members == NULL)
		snprintf(why, size,
		    "is of the type \"%s\": kpublish knows service_account, authorized_user "
		    "and external_account",
		    type);
	free(type);
	if (members != NULL && read_members(c, members, text, len, why, size) == 0 &&
	    read_members(c, common, text, len, why, size) == 0 &&
	    check(c, text, len, why, size) == 0)
		return 0;
	gcp_credentials_free(c);
	return -1;
}

void
gcp_credentials_free(struct gcp_credentials *c)
{
	static const size_t owned[] = {FIELD(quota_project), FIELD(universe), FIELD(token_uri),
	    FIELD(email), FIELD(key), FIELD(key_id), FIELD(client_id), FIELD(client_secret),
	    FIELD(refresh_token), FIELD(audience), FIELD(subject_type),
	    FIELD(impersonation_url), FIELD(source_file), FIELD(source_url),
	    FIELD(source_headers), FIELD(source_field)};

	for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++)
		text_set(field(c, owned[i]), NULL);
}

int
gcp_credentials_find(char **path)
{
	const char *variable = getenv("GOOGLE_APPLICATION_CREDENTIALS");
	const char *folder = getenv("CLOUDSDK_CONFIG");
	const char *home = getenv("HOME");

	*path = NULL;
	if (variable != NULL && *variable != '\0')
		return (*path = strdup(variable)) != NULL ? 0 : -1;
	if (folder != NULL && *folder != '\0')
		*path = text_printf("%s/application_default_credentials.json", folder);
	else if (home != NULL && *home != '\0')
		*path =
		    text_printf("%s/.config/gcloud/application_default_credentials.json", home);
	else
		return 0;
	if (*path == NULL)
		return -1;
	if (access(*path, F_OK) == -1)
		text_set(path, NULL);
	return 0;
}

int
gcp_credentials_load(struct gcp_credentials *c, const char *path, char *why, size_t size)
{
	char *text;
	size_t len;
	int result;

	if (path == NULL) {
		*c = (struct gcp_credentials){
		    .kind = GCP_METADATA, .universe = usual_universe()};
		snprintf(why, size, "out of memory");
		return c->universe != NULL ? 0 : -1;
	}
	text = file_read(path, FILE_SIZE_MAX, &len);
	if (text == NULL) {
		snprintf(why, size, "cannot be read: %s", strerror(errno));
		return -1;
	}
	result = gcp_credentials_read(c, text, len, why, size);
	explicit_bzero(text, len);
	free(text);
	return result;
}
