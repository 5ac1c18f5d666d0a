/* SPDX-License-Identifier: Apache-2.0 */
#include "gcp_grant.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "file.h"
#include "gcp_json.h"
#include "gcp_jwt.h"
#include "text.h"
#include "timefmt.h"

enum {
	SUBJECT_MAX = 1024 * 1024,
	LIFETIME_S = 3600, /* of a token of which it is not said */
	HOST_MAX = 256,
};

static const char scope[] = "https://www.googleapis.com/auth/pubsub";
/* What impersonating needs. */
static const char wide_scope[] = "https://www.googleapis.com/auth/cloud-platform";
static const char default_metadata_host[] = "169.254.169.254";
static const char default_universe[] = "googleapis.com";
static const char form_type[] = "Content-Type: application/x-www-form-urlencoded";

static void
wipe(char **text)
{
	if (*text != NULL)
		explicit_bzero(*text, strlen(*text));
	text_set(text, NULL);
}

static void
free_request(struct gcp_grant *g)
{
	text_set(&g->url, NULL);
	wipe(&g->body);
	for (size_t i = 0; i < sizeof(g->headers) / sizeof(g->headers[0]); i++)
		wipe(&g->headers[i]);
}

void
gcp_grant_free(struct gcp_grant *g)
{
	free_request(g);
	wipe(&g->subject);
	wipe(&g->token);
	*g = (struct gcp_grant){.step = GCP_STEP_FIRST};
}

/* HOST:PORT of a URL, for messages. */
static const char *
host_of(const char *url, char host[HOST_MAX])
{
	const char *slashes = strstr(url, "://");
	const char *from = slashes != NULL ? slashes + strlen("://") : url;
	int len = (int)strcspn(from, "/?#");
	const char *at = memrchr(from, '@', (size_t)len);

	if (at != NULL) {
		len -= (int)(at + 1 - from);
		from = at + 1;
	}
	snprintf(host, HOST_MAX, "%.*s", len, from);
	return host;
}

/* NAME=VALUE&… of names and values up to a NULL. Memory of the caller's, or NULL. */
static char *
make_form(const char *const *pairs)
{
	struct buf form;
	int bad = 0;

	buf_init(&form, TEXT_MAX);
	for (size_t i = 0; bad == 0 && pairs[i] != NULL; i += 2)
		bad = buf_printf(&form, "%s%s=", i > 0 ? "&" : "", pairs[i]) == -1 ||
		      text_add_query(&form, pairs[i + 1]) == -1;
	if (bad != 0 || buf_terminate(&form) == -1)
		buf_free(&form);
	return form.data;
}

/* The members of the headers object in the file, as header lines. */
static int
add_source_headers(struct gcp_grant *g, const struct gcp_credentials *c)
{
	struct json_str name;
	struct json_str value;
	struct json j;
	size_t n = 0;

	if (c->source_headers == NULL)
		return 0;
	json_init(&j, c->source_headers, strlen(c->source_headers));
	json_enter(&j, '{');
	while (json_member(&j, &name) == 1 && json_string(&j, &value) == 0) {
		char *left = text_dup(&name);
		char *right = text_dup(&value);

		if (n < GCP_HEADERS_MAX && left != NULL && right != NULL)
			g->headers[n++] = text_printf("%s: %s", left, right);
		free(left);
		wipe(&right);
	}
	return json_end(&j);
}

static int
ask_metadata(struct gcp_grant *g, struct ask *ask)
{
	const char *host = getenv("GCE_METADATA_HOST");

	g->url =
	    text_printf("http://%s/computeMetadata/v1/instance/service-accounts/default/token",
		host != NULL && *host != '\0' ? host : default_metadata_host);
	g->headers[0] = strdup("Metadata-Flavor: Google");
	ask->direct = true;
	return g->url != NULL && g->headers[0] != NULL ? 0 : -1;
}

static int
ask_with_jwt(struct gcp_grant *g, const struct gcp_credentials *c)
{
	char *jwt = gcp_jwt_grant(c, scope, time(NULL));
	const char *const form[] = {"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer",
	    "assertion", jwt, NULL};

	if (jwt == NULL)
		return -1;
	g->body = make_form(form);
	wipe(&jwt);
	return 0;
}

static void
ask_as_user(struct gcp_grant *g, const struct gcp_credentials *c)
{
	const char *const form[] = {"grant_type", "refresh_token", "client_id", c->client_id,
	    "client_secret", c->client_secret, "refresh_token", c->refresh_token, NULL};

	g->body = make_form(form);
}

static void
ask_sts(struct gcp_grant *g, const struct gcp_credentials *c)
{
	const char *const form[] = {"grant_type",
	    "urn:ietf:params:oauth:grant-type:token-exchange", "audience", c->audience, "scope",
	    c->impersonation_url != NULL ? wide_scope : scope, "requested_token_type",
	    "urn:ietf:params:oauth:token-type:access_token", "subject_token", g->subject,
	    "subject_token_type", c->subject_type, NULL};

	g->body = make_form(form);
}

/* The token is asked for, or what leads to it. */
static int
ask_exchange(struct gcp_grant *g, const struct gcp_credentials *c, struct ask *ask)
{
	g->step = GCP_STEP_EXCHANGE;
	if (c->kind == GCP_METADATA)
		return ask_metadata(g, ask);
	g->url = strdup(c->token_uri);
	g->headers[0] = strdup(form_type);
	if (c->kind == GCP_SERVICE_ACCOUNT && ask_with_jwt(g, c) == -1)
		return -1;
	if (c->kind == GCP_AUTHORIZED_USER)
		ask_as_user(g, c);
	if (c->kind == GCP_EXTERNAL_ACCOUNT)
		ask_sts(g, c);
	return g->url != NULL && g->headers[0] != NULL && g->body != NULL ? 0 : -1;
}

static int
ask_subject(struct gcp_grant *g, const struct gcp_credentials *c)
{
	g->step = GCP_STEP_SUBJECT;
	g->url = strdup(c->source_url);
	return g->url != NULL ? add_source_headers(g, c) : -1;
}

static int
ask_impersonation(struct gcp_grant *g, const struct gcp_credentials *c)
{
	g->step = GCP_STEP_IMPERSONATE;
	g->url = strdup(c->impersonation_url);
	g->headers[0] = text_printf("Authorization: Bearer %s", g->token);
	g->headers[1] = strdup("Content-Type: application/json");
	g->body = text_printf("{\"scope\":[\"%s\"],\"lifetime\":\"%ds\"}", scope, GCP_JWT_S);
	wipe(&g->token);
	return g->url != NULL && g->headers[0] != NULL && g->headers[1] != NULL &&
		       g->body != NULL
		   ? 0
		   : -1;
}

/* The subject token out of what a file or a server has. 0, or -1. */
static int
take_subject(struct gcp_grant *g, const struct gcp_credentials *c, const char *text, size_t len)
{
	if (c->source_field != NULL) {
		g->subject = gcp_json_get(text, len, c->source_field, NULL);
	} else {
		while (len > 0 && isspace((unsigned char)*text))
			text++, len--;
		while (len > 0 && isspace((unsigned char)text[len - 1]))
			len--;
		g->subject = len > 0 ? strndup(text, len) : NULL;
	}
	return g->subject != NULL ? 0 : -1;
}

static int
read_subject(struct gcp_grant *g, const struct gcp_credentials *c, char *why, size_t size)
{
	size_t len;
	char *text = file_read(c->source_file, SUBJECT_MAX, &len);
	int result;

	if (text == NULL) {
		snprintf(why, size, "the subject token cannot be read: %s: %s", c->source_file,
		    strerror(errno));
		return -1;
	}
	result = take_subject(g, c, text, len);
	if (result == -1)
		snprintf(why, size, "%s holds no subject token", c->source_file);
	wipe(&text);
	return result;
}

static bool
signs_tokens(const struct gcp_credentials *c)
{
	return c->kind == GCP_SERVICE_ACCOUNT && strcmp(c->universe, default_universe) != 0;
}

/* A JWT that is the token itself. */
static int
make_token(struct gcp_grant *g, const struct gcp_credentials *c)
{
	g->token = gcp_jwt_token(c, scope, time(NULL));
	g->lifetime_ms = (int64_t)GCP_JWT_S * 1000;
	return g->token != NULL ? 0 : -1;
}

/* Is another request needed, and made? 1, 0: there is a token; -1: it could not be. */
static int
make_request(struct gcp_grant *g, const struct gcp_credentials *c, struct ask *ask)
{
	bool external = c->kind == GCP_EXTERNAL_ACCOUNT;
	int result;

	if (g->step == GCP_STEP_FIRST && signs_tokens(c))
		return make_token(g, c);
	if (external && g->subject == NULL)
		result = ask_subject(g, c);
	else if (g->token == NULL)
		result = ask_exchange(g, c, ask);
	else if (external && c->impersonation_url != NULL && g->step == GCP_STEP_EXCHANGE)
		result = ask_impersonation(g, c);
	else
		return 0;
	return result == 0 ? 1 : -1;
}

enum gcp_grant_next
gcp_grant_next(struct gcp_grant *g, const struct gcp_credentials *c, struct ask *ask, char *why,
    size_t size)
{
	int made;

	*ask = (struct ask){.url = NULL};
	free_request(g);
	if (c->kind == GCP_EXTERNAL_ACCOUNT && g->subject == NULL && c->source_file != NULL &&
	    read_subject(g, c, why, size) == -1)
		return GCP_GRANT_FAILED;
	made = make_request(g, c, ask);
	if (made == -1) {
		snprintf(why, size, "it cannot be asked for: out of memory");
		return GCP_GRANT_FAILED;
	}
	ask->url = g->url;
	ask->headers = (const char *const *)g->headers;
	ask->body = g->body;
	ask->len = g->body != NULL ? strlen(g->body) : 0;
	return made == 1 ? GCP_GRANT_ASK : GCP_GRANT_DONE;
}

/* What went wrong, as the server has it: {"error": "invalid_grant", "error_description": …} or
 * {"error": {"message": …}}; nothing else of the body, which might hold anything. */
static void
explain(const struct gcp_grant *g, const struct answer *a, char *why, size_t size)
{
	char *message = gcp_json_get(a->body, a->len, "error", "message");
	char *code = gcp_json_get(a->body, a->len, "error", NULL);
	char *description = gcp_json_get(a->body, a->len, "error_description", NULL);
	char host[HOST_MAX];

	host_of(g->url, host);
	if (a->status == 0)
		snprintf(why, size, "%s: %s", host, a->error);
	else if (message != NULL)
		snprintf(why, size, "%s: HTTP status %ld: %s", host, a->status, message);
	else if (code != NULL && *code != '{')
		snprintf(why, size, "%s: HTTP status %ld: %s%s%s", host, a->status, code,
		    description != NULL ? ": " : "", description != NULL ? description : "");
	else
		snprintf(why, size, "%s: HTTP status %ld", host, a->status);
	free(message);
	free(code);
	free(description);
}

/* In how many milliseconds the time comes; 0: it is none, or past. */
static int64_t
until(const char *text)
{
	struct timespec then;
	int64_t s = 0;

	if (text != NULL && timefmt_parse(text, strlen(text), &then) == 0)
		s = (int64_t)then.tv_sec - (int64_t)time(NULL);
	return s > 0 ? s * 1000 : 0;
}

/* 0, or -1: there is no token in it. */
static int
take_token(struct gcp_grant *g, const struct answer *a)
{
	bool impersonated = g->step == GCP_STEP_IMPERSONATE;
	char *time_text =
	    gcp_json_get(a->body, a->len, impersonated ? "expireTime" : "expires_in", NULL);
	long seconds = LIFETIME_S;

	g->token =
	    gcp_json_get(a->body, a->len, impersonated ? "accessToken" : "access_token", NULL);
	if (impersonated) {
		g->lifetime_ms = until(time_text);
	} else {
		if (time_text != NULL)
			seconds = strtol(time_text, NULL, 10);
		g->lifetime_ms = seconds > 0 && seconds < 1000000 ? (int64_t)seconds * 1000 : 0;
	}
	free(time_text);
	return g->token != NULL && g->lifetime_ms > 0 ? 0 : -1;
}

int
gcp_grant_take(struct gcp_grant *g, const struct gcp_credentials *c, const struct answer *a,
    char *why, size_t size)
{
	char host[HOST_MAX];
	int result;

	if (a->status != 200) {
		explain(g, a, why, size);
		return -1;
	}
	if (g->step == GCP_STEP_SUBJECT)
		result = take_subject(g, c, a->body, a->len);
	else
		result = take_token(g, a);
	if (result == -1)
		snprintf(why, size, "%s: an answer without a token", host_of(g->url, host));
	return result;
}
