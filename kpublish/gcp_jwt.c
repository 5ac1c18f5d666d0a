/* SPDX-License-Identifier: Apache-2.0 */
#include "gcp_jwt.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { SIGNATURE_MAX = 2048 }; /* of RSA keys of 16,384 bits */

/* OpenSSL would ask on the terminal. */
static int
no_passphrase(char *to, int size, int writing, void *arg)
{
	(void)to;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* NULL: it is none. */
static EVP_PKEY *
read_key(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = NULL;

	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	if (key != NULL && EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

bool
gcp_jwt_key_valid(const char *pem)
{
	EVP_PKEY *key = read_key(pem);

	EVP_PKEY_free(key);
	return key != NULL;
}

/* Appends base64url without padding (RFC 7515). */
static int
add_base64url(struct buf *buf, const void *bytes, size_t len)
{
	char *to = buf_reserve(buf, len / 3 * 4 + 5);
	int n;

	if (to == NULL || len > INT_MAX / 2)
		return -1;
	n = EVP_EncodeBlock((unsigned char *)to, bytes, (int)len);
	while (n > 0 && to[n - 1] == '=')
		n--;
	for (int i = 0; i < n; i++)
		to[i] = to[i] == '+' ? '-' : to[i] == '/' ? '_' : to[i];
	buf->len += (size_t)n;
	return 0;
}

static int
add_member(struct buf *json, const char *name, const char *value)
{
	if (value == NULL)
		return 0;
	return buf_printf(json, ",\"%s\":", name) == -1 ? -1 : text_add_json(json, value);
}

static int
add_header(struct buf *jwt, const struct gcp_credentials *c)
{
	struct buf json;
	int bad;

	buf_init(&json, TEXT_MAX);
	bad = buf_addstr(&json, "{\"alg\":\"RS256\",\"typ\":\"JWT\"") == -1 ||
	      add_member(&json, "kid", c->key_id) == -1 || buf_addstr(&json, "}") == -1 ||
	      add_base64url(jwt, json.data, json.len) == -1;
	buf_free(&json);
	return bad ? -1 : 0;
}

static int
add_claims(struct buf *jwt, const struct gcp_credentials *c, const char *scope,
    const char *audience, const char *subject, time_t now)
{
	struct buf json;
	int bad;

	buf_init(&json, TEXT_MAX);
	bad = buf_printf(&json, "{\"iat\":%lld,\"exp\":%lld", (long long)now,
		  (long long)now + GCP_JWT_S) == -1 ||
	      add_member(&json, "iss", c->email) == -1 ||
	      add_member(&json, "sub", subject) == -1 ||
	      add_member(&json, "aud", audience) == -1 ||
	      add_member(&json, "scope", scope) == -1 || buf_addstr(&json, "}") == -1 ||
	      add_base64url(jwt, json.data, json.len) == -1;
	buf_free(&json);
	return bad ? -1 : 0;
}

static int
add_signature(struct buf *jwt, const char *pem)
{
	EVP_PKEY *key = read_key(pem);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char signature[SIGNATURE_MAX];
	size_t len = sizeof(signature);
	int bad = key == NULL || context == NULL ||
		  EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) != 1 ||
		  EVP_DigestSign(context, signature, &len, (const unsigned char *)jwt->data,
		      jwt->len) != 1 ||
		  buf_addstr(jwt, ".") == -1 || add_base64url(jwt, signature, len) == -1;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return bad ? -1 : 0;
}

static char *
sign(const struct gcp_credentials *c, const char *scope, const char *audience,
    const char *subject, time_t now)
{
	struct buf jwt;

	buf_init(&jwt, TEXT_MAX);
	if (add_header(&jwt, c) == -1 || buf_addstr(&jwt, ".") == -1 ||
	    add_claims(&jwt, c, scope, audience, subject, now) == -1 ||
	    add_signature(&jwt, c->key) == -1 || buf_terminate(&jwt) == -1)
		buf_free(&jwt);
	return jwt.data;
}

char *
gcp_jwt_grant(const struct gcp_credentials *c, const char *scope, time_t now)
{
	return sign(c, scope, c->token_uri, NULL, now);
}

char *
gcp_jwt_token(const struct gcp_credentials *c, const char *scope, time_t now)
{
	return sign(c, scope, NULL, c->email, now);
}
