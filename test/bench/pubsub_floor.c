/* SPDX-License-Identifier: Apache-2.0 */
/* The floor for gcppubsub://: a plain loop of libcurl's, a message a request and one request at a
 * time, over one connection of HTTP/2: so each key is in order. No retry.
 *
 *	pubsub_floor URL < LINES		URL: https://HOST/v1/projects/P/topics/T:publish
 *
 * A line is a key, a tab, and the body. The token is in PUBSUB_TOKEN, the authority in
 * SSL_CERT_FILE. */
#include <curl/curl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "buf.h"

enum { REQUEST_MAX = 10 * 1024 * 1024 };

static size_t
ignore(char *bytes, size_t size, size_t n, void *arg)
{
	(void)bytes;
	(void)arg;
	return size * n;
}

static void
check(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "pubsub_floor: %s\n", what);
	exit(1);
}

static void
make_request(struct buf *request, const char *line, size_t len)
{
	const char *tab = memchr(line, '\t', len);
	size_t body;
	char *to;

	check(tab != NULL, "a line without a tab");
	body = len - (size_t)(tab + 1 - line);
	request->len = 0;
	check(buf_printf(request, "{\"messages\":[{\"orderingKey\":\"%.*s\",\"data\":\"",
		  (int)(tab - line), line) == 0,
	    "a line is too long");
	to = buf_reserve(request, body / 3 * 4 + 5);
	check(to != NULL, "a line is too long");
	request->len += (size_t)EVP_EncodeBlock(
	    (unsigned char *)to, (const unsigned char *)(tab + 1), (int)body);
	check(buf_addstr(request, "\"}]}") == 0, "a line is too long");
}

static struct curl_slist *
make_headers(void)
{
	const char *token = getenv("PUBSUB_TOKEN");
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	struct buf line;

	buf_init(&line, REQUEST_MAX);
	check(token != NULL && buf_printf(&line, "Authorization: Bearer %s", token) == 0,
	    "PUBSUB_TOKEN is not set");
	headers = curl_slist_append(headers, line.data);
	buf_free(&line);
	return headers;
}

int
main(int argc, char **argv)
{
	CURL *easy = curl_easy_init();
	struct curl_slist *headers = make_headers();
	struct buf request;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	check(argc == 2 && easy != NULL, "usage: pubsub_floor URL");
	buf_init(&request, REQUEST_MAX);
	curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
	curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("SSL_CERT_FILE"));
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
	curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
	while ((len = getline(&line, &size, stdin)) > 0) {
		make_request(&request, line, (size_t)len - (line[len - 1] == '\n'));
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request.len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.data);
		check(curl_easy_perform(easy) == CURLE_OK, "a request failed");
	}
	free(line);
	buf_free(&request);
	curl_slist_free_all(headers);
	curl_easy_cleanup(easy);
	return 0;
}
