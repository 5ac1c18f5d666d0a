/* SPDX-License-Identifier: Apache-2.0 */
#include "gcp_wire.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gcp_json.h"
#include "text.h"

/* A key of any length as one of at most GCP_KEY_MAX: itself, or the SHA-256 of it. */
struct key {
	char hash[2 * SHA256_DIGEST_LENGTH + 1];
	const char *text;
};

static void
make_key(const struct message *m, struct key *key)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	key->text = m->key;
	if (m->key_len <= GCP_KEY_MAX)
		return;
	SHA256((const unsigned char *)m->key, m->key_len, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(&key->hash[2 * i], 3, "%02x", digest[i]);
	key->text = key->hash;
}

/* What text_add_json makes of it. There are no control characters in it: message.h. */
static size_t
json_size(const char *text)
{
	size_t n = 2;

	for (; *text != '\0'; text++)
		n += *text == '"' || *text == '\\' ? 2 : 1;
	return n;
}

static size_t
base64_size(size_t len)
{
	return (len + 2) / 3 * 4;
}

static const char first[] = "{\"messages\":[";
static const char last[] = "]}";

static size_t
attributes_size(const struct message *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_attributes; i++)
		if (m->attributes[i].len <= GCP_VALUE_MAX)
			n += json_size(m->attributes[i].name) +
			     json_size(m->attributes[i].value) + strlen(":,");
	return n > 0 ? n - strlen(",") : 0;
}

size_t
gcp_wire_size(const struct message *m)
{
	struct key key;

	make_key(m, &key);
	return strlen("{\"data\":\"\",\"orderingKey\":,\"attributes\":{}},") +
	       base64_size(m->len) + json_size(key.text) + attributes_size(m);
}

size_t
gcp_wire_empty(void)
{
	return strlen(first) + strlen(last);
}

int
gcp_wire_begin(struct buf *body)
{
	return buf_addstr(body, first);
}

static int
add_data(struct buf *body, const struct message *m)
{
	/* EVP_EncodeBlock adds a NUL. */
	char *to = buf_reserve(body, base64_size(m->len) + 1);

	if (to == NULL)
		return -1;
	body->len += (size_t)EVP_EncodeBlock((unsigned char *)to, m->body, (int)m->len);
	return 0;
}

static int
add_attributes(struct buf *body, const struct message *m)
{
	const char *between = "";
	int bad = 0;

	for (size_t i = 0; bad == 0 && i < m->n_attributes; i++) {
		const struct attribute *a = &m->attributes[i];

		if (a->len > GCP_VALUE_MAX)
			continue;
		bad = buf_addstr(body, between) == -1 || text_add_json(body, a->name) == -1 ||
		      buf_addstr(body, ":") == -1 || text_add_json(body, a->value) == -1;
		between = ",";
	}
	return bad == 0 ? 0 : -1;
}

int
gcp_wire_add(struct buf *body, const struct message *m)
{
	struct key key;

	make_key(m, &key);
	if (body->len > strlen(first) && buf_addstr(body, ",") == -1)
		return -1;
	if (buf_addstr(body, "{\"data\":\"") == -1 || add_data(body, m) == -1 ||
	    buf_addstr(body, "\",\"orderingKey\":") == -1 ||
	    text_add_json(body, key.text) == -1 ||
	    buf_addstr(body, ",\"attributes\":{") == -1 || add_attributes(body, m) == -1)
		return -1;
	return buf_addstr(body, "}}");
}

int
gcp_wire_end(struct buf *body)
{
	return buf_addstr(body, last);
}

/* https://cloud.google.com/pubsub/docs/reference/error-codes. By the HTTP status where the
 * google.rpc.Code adds nothing: what is between us and Google may answer too. */
static enum gcp_outcome
outcome_of(long status, const char *code, const char *message)
{
	switch (status) {
	case 400:
		if (strcmp(code, "INVALID_ARGUMENT") != 0)
			return GCP_LATER; /* FAILED_PRECONDITION, say: the topic's key is off */
		return strcasestr(message, "size exceeds") != NULL ||
			       strcasestr(message, "too large") != NULL
			   ? GCP_TOO_LARGE
			   : GCP_REFUSED;
	case 401:
		return GCP_TOKEN;
	case 403:
	case 404:
		return GCP_NOT_ALLOWED;
	case 413:
		return GCP_TOO_LARGE;
	default:
		return GCP_LATER;
	}
}

enum gcp_outcome
gcp_wire_outcome(long status, const char *body, size_t len, size_t n, char why[GCP_WHY])
{
	enum gcp_outcome outcome = GCP_LATER;
	char *code;
	char *message;

	*why = '\0';
	if (status == 200) {
		int ids = gcp_json_count(body, len, "messageIds");

		if (ids >= 0 && (size_t)ids == n)
			return GCP_PUBLISHED;
		snprintf(why, GCP_WHY,
		    "an answer that is not Pub/Sub's: %d ids for %zu messages", ids, n);
		return GCP_LATER;
	}
	code = gcp_json_get(body, len, "error", "status");
	message = gcp_json_get(body, len, "error", "message");
	outcome = outcome_of(status, code != NULL ? code : "", message != NULL ? message : "");
	if (code != NULL && message != NULL)
		snprintf(why, GCP_WHY, "%s: %s", code, message);
	else
		snprintf(why, GCP_WHY, "HTTP status %ld", status);
	free(code);
	free(message);
	return outcome;
}
