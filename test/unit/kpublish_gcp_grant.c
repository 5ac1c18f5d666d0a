/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials files, and how a token is come by with each. What the JWTs hold and whether they
 * are signed well is checked by the server of test/real/gcppubsub.bats. */
#include "kpublish/gcp_grant.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kpublish/gcp_jwt.h"
#include "tap.h"
#include "text.h"

enum { WHY = 400 };

static bool
refused(const char *text, const char *want)
{
	struct gcp_credentials c;
	char why[WHY];

	if (gcp_credentials_read(&c, text, strlen(text), why, sizeof(why)) == 0) {
		gcp_credentials_free(&c);
		return false;
	}
	if (strstr(why, want) == NULL)
		printf("# %s\n", why);
	return strstr(why, want) != NULL;
}

static bool
is_read(struct gcp_credentials *c, const char *text)
{
	char why[WHY];

	if (gcp_credentials_read(c, text, strlen(text), why, sizeof(why)) == 0)
		return true;
	printf("# %s\n", why);
	return false;
}

static char *
make_key(void)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	char *pem = NULL;
	long len;

	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	len = BIO_get_mem_data(bio, &text);
	if (len > 0)
		pem = strndup(text, (size_t)len);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return pem;
}

static char *
account_file(const char *more)
{
	char *pem = make_key();
	struct buf buf;

	buf_init(&buf, TEXT_MAX);
	buf_addstr(&buf, "{\"type\":\"service_account\",\"client_email\":\"a@p\","
			 "\"private_key_id\":\"k\",\"private_key\":");
	text_add_json(&buf, pem);
	buf_printf(&buf, "%s}", more);
	free(pem);
	return buf.data;
}

#define EXTERNAL(source)                                                      \
	"{\"type\":\"external_account\",\"audience\":\"//iam/aud\","          \
	"\"subject_token_type\":\"urn:jwt\",\"token_url\":\"https://sts/t\"," \
	"\"credential_source\":" source "}"

static void
files(struct tap *tap)
{
	struct gcp_credentials c;
	char *account = account_file("");

	tap_ok(tap,
	    is_read(&c, account) && c.kind == GCP_SERVICE_ACCOUNT &&
		strcmp(c.token_uri, "https://oauth2.googleapis.com/token") == 0 &&
		strcmp(c.universe, "googleapis.com") == 0 && strcmp(c.email, "a@p") == 0,
	    "a service account");
	gcp_credentials_free(&c);
	free(account);
	tap_ok(tap,
	    refused("{\"type\":\"service_account\",\"client_email\":\"a\"}", "private_key"),
	    "without its key");
	tap_ok(tap,
	    refused("{\"type\":\"service_account\",\"client_email\":\"a\",\"private_key\":"
		    "\"secret\"}",
		"no RSA key"),
	    "with a key that is none");
	tap_ok(tap,
	    refused("{\"type\":\"authorized_user\",\"client_id\":\"a\"}", "client_secret"),
	    "a user without secret");
	tap_ok(tap, refused("nonsense", "no JSON"), "no JSON");
	tap_ok(tap, refused("{\"type\":\"gdch_service_account\"}", "gdch_service_account"),
	    "a type that is not known");
	tap_ok(tap, refused(EXTERNAL("{\"environment_id\":\"aws1\",\"url\":\"x\"}"), "AWS"),
	    "an external account of AWS");
	tap_ok(tap, refused(EXTERNAL("{\"executable\":{\"command\":\"x\"}}"), "program"),
	    "of a program");
	tap_ok(tap, refused(EXTERNAL("{}"), "neither"), "of nothing");
	tap_ok(tap,
	    refused(EXTERNAL("{\"file\":\"f\",\"format\":{\"type\":\"json\"}}"), "format"),
	    "of JSON, without a member's name");
	tap_ok(tap, refused(EXTERNAL("{\"url\":\"u\",\"headers\":{\"a\":1}}"), "headers"),
	    "headers that are no strings");
}

static struct answer
good(const char *body)
{
	return (struct answer){.status = 200, .body = body, .len = strlen(body)};
}

/* What is asked next holds all of these, up to a NULL. */
static bool
asks(struct gcp_grant *g, const struct gcp_credentials *c, const char *const *wanted)
{
	struct ask ask;
	char why[WHY];
	char *all;
	bool has = true;

	if (gcp_grant_next(g, c, &ask, why, sizeof(why)) != GCP_GRANT_ASK)
		return false;
	all = text_printf("%s %s %s %s", ask.url, ask.headers[0] != NULL ? ask.headers[0] : "",
	    ask.headers[0] != NULL && ask.headers[1] != NULL ? ask.headers[1] : "",
	    ask.body != NULL ? ask.body : "(GET)");
	for (; *wanted != NULL; wanted++) {
		if (strstr(all, *wanted) == NULL) {
			printf("# no %s in %s\n", *wanted, all);
			has = false;
		}
	}
	free(all);
	return has;
}

#define ASKS(g, c, ...) asks(g, c, (const char *const[]){__VA_ARGS__, NULL})

static bool
takes(struct gcp_grant *g, const struct gcp_credentials *c, const char *body)
{
	struct answer a = good(body);
	char why[WHY];

	return gcp_grant_take(g, c, &a, why, sizeof(why)) == 0;
}

static bool
has_token(struct gcp_grant *g, const struct gcp_credentials *c, const char *token)
{
	struct ask ask;
	char why[WHY];

	return gcp_grant_next(g, c, &ask, why, sizeof(why)) == GCP_GRANT_DONE &&
	       strcmp(g->token, token) == 0;
}

static void
accounts(struct tap *tap)
{
	char *file = account_file(",\"token_uri\":\"https://t/x\"");
	struct gcp_credentials c;
	struct gcp_grant g = {.token = NULL};
	struct ask ask;
	char why[WHY];

	is_read(&c, file);
	tap_ok(tap,
	    ASKS(&g, &c, "https://t/x", "x-www-form-urlencoded", "jwt-bearer&assertion=ey"),
	    "a service account's JWT is exchanged");
	tap_ok(tap,
	    takes(&g, &c, "{\"access_token\":\"T\",\"expires_in\":10}") &&
		g.lifetime_ms == 10000 && has_token(&g, &c, "T"),
	    "for a token");
	gcp_grant_free(&g);
	gcp_credentials_free(&c);
	free(file);

	file = account_file(",\"universe_domain\":\"example.com\"");
	is_read(&c, file);
	tap_ok(tap,
	    gcp_grant_next(&g, &c, &ask, why, sizeof(why)) == GCP_GRANT_DONE &&
		strncmp(g.token, "ey", 2) == 0 && g.lifetime_ms == GCP_JWT_S * INT64_C(1000),
	    "in another universe it is the token");
	gcp_grant_free(&g);
	gcp_credentials_free(&c);
	free(file);

	is_read(&c, "{\"type\":\"authorized_user\",\"client_id\":\"i\","
		    "\"client_secret\":\"s&\",\"refresh_token\":\"r\"}");
	tap_ok(tap,
	    ASKS(&g, &c, "https://oauth2.googleapis.com/token",
		"grant_type=refresh_token&client_id=i&client_secret=s%26&refresh_token=r"),
	    "a user's refresh token is exchanged");
	gcp_grant_free(&g);
	gcp_credentials_free(&c);
}

static void
external(struct tap *tap)
{
	char path[] = "/tmp/kpublish_gcp_grant.XXXXXX";
	int fd = mkstemp(path);
	char *file = text_printf(EXTERNAL("{\"file\":\"%s\",\"format\":{\"type\":\"json\","
					  "\"subject_token_field_name\":\"f\"}}"),
	    path);
	struct gcp_credentials c;
	struct gcp_grant g = {.token = NULL};
	struct ask ask;
	char why[WHY];

	is_read(&c, file);
	tap_ok(tap,
	    gcp_grant_next(&g, &c, &ask, why, sizeof(why)) == GCP_GRANT_FAILED &&
		strstr(why, path) != NULL,
	    "a subject token that is not in its file");
	gcp_grant_free(&g);
	tap_ok(tap,
	    write(fd, "{\"f\":\"SUB\"}", 11) == 11 &&
		ASKS(&g, &c, "https://sts/t", "subject_token=SUB&subject_token_type=urn%3Ajwt",
		    "audience=%2F%2Fiam%2Faud",
		    "scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fpubsub"),
	    "is exchanged when it is");
	gcp_grant_free(&g);
	gcp_credentials_free(&c);
	close(fd);
	unlink(path);
	free(file);

	is_read(&c, EXTERNAL("{\"url\":\"http://u/x\",\"headers\":{\"A\":\"b\"}},"
			     "\"service_account_impersonation_url\":\"https://iam/y\""));
	tap_ok(tap, ASKS(&g, &c, "http://u/x", "A: b", "(GET)"), "one by URL");
	tap_ok(tap,
	    takes(&g, &c, " SUB\n") && ASKS(&g, &c, "subject_token=SUB&", "cloud-platform"),
	    "is exchanged for one that may impersonate");
	tap_ok(tap,
	    takes(&g, &c, "{\"access_token\":\"STS\"}") &&
		ASKS(&g, &c, "https://iam/y", "Authorization: Bearer STS",
		    "{\"scope\":[\"https://www.googleapis.com/auth/pubsub\"],"
		    "\"lifetime\":\"3600s\"}"),
	    "the service account");
	tap_ok(tap,
	    takes(&g, &c, "{\"accessToken\":\"T\",\"expireTime\":\"2999-01-01T00:00:00Z\"}") &&
		has_token(&g, &c, "T"),
	    "whose token it is");
	gcp_grant_free(&g);
	gcp_credentials_free(&c);
}

static bool
fails(long status, const char *body, const char *want)
{
	struct gcp_credentials c = {.kind = GCP_METADATA};
	struct gcp_grant g = {.token = NULL};
	struct answer a = good(body);
	struct ask ask;
	char why[WHY];
	bool ok;

	a.status = status;
	a.error = "no connection";
	gcp_grant_next(&g, &c, &ask, why, sizeof(why));
	ok = gcp_grant_take(&g, &c, &a, why, sizeof(why)) == -1 && strcmp(why, want) == 0;
	if (!ok)
		printf("# %s\n", why);
	gcp_grant_free(&g);
	return ok;
}

static void
failures(struct tap *tap)
{
	struct gcp_credentials c = {.kind = GCP_METADATA};
	struct gcp_grant g = {.token = NULL};

	setenv("GCE_METADATA_HOST", "m:1", 1);
	tap_ok(tap,
	    ASKS(&g, &c,
		"http://m:1/computeMetadata/v1/instance/service-accounts/default/token",
		"Metadata-Flavor: Google", "(GET)"),
	    "the metadata server");
	gcp_grant_free(&g);
	tap_ok(tap, fails(0, "", "m:1: no connection"), "no answer");
	tap_ok(
	    tap, fails(404, "secret", "m:1: HTTP status 404"), "an answer that says nothing");
	tap_ok(tap,
	    fails(400, "{\"error\":\"invalid_grant\",\"error_description\":\"d\"}",
		"m:1: HTTP status 400: invalid_grant: d"),
	    "OAuth's error");
	tap_ok(tap,
	    fails(
		403, "{\"error\":{\"code\":403,\"message\":\"m\"}}", "m:1: HTTP status 403: m"),
	    "an API's error");
	tap_ok(tap, fails(200, "{\"token\":\"secret\"}", "m:1: an answer without a token"),
	    "no token");
	tap_ok(tap,
	    fails(200, "{\"access_token\":\"secret\",\"expires_in\":0}",
		"m:1: an answer without a token"),
	    "one that has expired");
}

int
main(void)
{
	struct tap tap = {0};

	unsetenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN");
	files(&tap);
	accounts(&tap);
	external(&tap);
	failures(&tap);
	return tap_done(&tap);
}
