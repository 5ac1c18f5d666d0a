/* SPDX-License-Identifier: Apache-2.0 */
#include "azuresb_token.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNATURE_SIZE = 4 * ((EVP_MAX_MD_SIZE + 2) / 3) + 1 }; /* in base64, with a NUL */

/* Percent-encoded as in a query. malloc'ed. Lower case, the escapes too, is how Service Bus
 * compares resources. */
static char *
escaped(const char *text, bool lower)
{
	char *out = malloc(3 * strlen(text) + 1);
	char *to = out;

	if (out == NULL)
		return NULL;
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (isalnum(c) || strchr("-_.~", c) != NULL)
			*to++ = (char)(lower ? tolower(c) : c);
		else
			to += sprintf(to, lower ? "%%%02x" : "%%%02X", c);
	}
	*to = '\0';
	return out;
}

/* HMAC-SHA256 in base64. */
static int
sign(const char *text, const char *key, char out[SIGNATURE_SIZE])
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)text, strlen(text),
		mac, &n) == NULL)
		return -1;
	EVP_EncodeBlock((unsigned char *)out, mac, (int)n);
	return 0;
}

char *
azuresb_token_make(const char *resource, const char *key_name, const char *key, int64_t expiry)
{
	char signature[SIGNATURE_SIZE];
	char *sr = escaped(resource, true);
	char *skn = escaped(key_name, false);
	char *sig = NULL;
	char *text = NULL;
	char *token = NULL;

	if (sr == NULL || skn == NULL || asprintf(&text, "%s\n%" PRId64, sr, expiry) == -1) {
		text = NULL;
		goto out;
	}
	if (sign(text, key, signature) == 0)
		sig = escaped(signature, false);
	if (sig != NULL &&
	    asprintf(&token, "SharedAccessSignature sr=%s&sig=%s&se=%" PRId64 "&skn=%s", sr,
		sig, expiry, skn) == -1)
		token = NULL;
out:
	free(sr);
	free(skn);
	free(sig);
	free(text);
	if (token == NULL)
		errno = ENOMEM;
	return token;
}

void
azuresb_token_free(char *token)
{
	if (token != NULL)
		explicit_bzero(token, strlen(token));
	free(token);
}

int64_t
azuresb_token_expiry(const char *token)
{
	const char *p = strstr(token, "&se=");
	char *end;
	int64_t expiry;

	if (p == NULL || !isdigit((unsigned char)p[4]))
		return 0;
	errno = 0;
	expiry = strtoll(p + 4, &end, 10);
	return errno == 0 && (*end == '\0' || *end == '&') ? expiry : 0;
}
