/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_container.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws_config.h"
#include "text.h"

enum { TIMEOUT_MS = 5000 };

static const char agent[] = "http://169.254.170.2"; /* ECS */

/* The path is not for people: whoever knows it may ask in ECS. */
static void
on_answer(void *arg, const struct answer *answer)
{
	struct aws_fetch *f = arg;
	const char *url = f->url.data;
	const char *host = strstr(url, "://") + 3;
	char where[256];

	snprintf(where, sizeof(where), "the container's agent at %.*s",
	    (int)(host - url + (ptrdiff_t)strcspn(host, "/?#")), url);
	aws_fetch_json(f, answer, where);
}

/* Without TLS only where nobody is in between: this machine, the agents of ECS and EKS. */
static bool
is_near(const char *host)
{
	static const char *const near[] = {
	    "localhost", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
	struct in_addr address;

	if (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127)
		return true;
	for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++)
		if (strcmp(host, near[i]) == 0)
			return true;
	return false;
}

static bool
is_allowed(const char *url)
{
	CURLU *parts = curl_url();
	char *host = NULL;
	bool allowed = parts != NULL &&
		       curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
		       curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		       strchr(url, '@') == NULL &&
		       (strncmp(url, "https://", 8) == 0 ||
			   (strncmp(url, "http://", 7) == 0 && is_near(host)));

	curl_free(host);
	curl_url_cleanup(parts);
	return allowed;
}

/* The Authorization header; *header NULL when none is wanted. -1: it has failed. */
static int
make_header(struct aws_fetch *f, char **header)
{
	const char *path = aws_config_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *given = aws_config_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	char *token = NULL;

	*header = NULL;
	if (path == NULL && given == NULL)
		return 0;
	token = path != NULL ? aws_fetch_file(path) : strdup(given);
	if (token == NULL) {
		aws_fetch_failed(
		    f, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: %s: %s", path, strerror(errno));
		return -1;
	}
	if (strpbrk(token, "\r\n") != NULL) {
		free(token);
		aws_fetch_failed(
		    f, "AWS_CONTAINER_AUTHORIZATION_TOKEN: has more than one line");
		return -1;
	}
	*header = text_printf("Authorization: %s", token);
	free(token);
	if (*header == NULL)
		aws_fetch_failed(f, "out of memory");
	return *header != NULL ? 0 : -1;
}

static int
make_url(struct aws_fetch *f)
{
	const char *relative = aws_config_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = aws_config_variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");

	if ((relative != NULL ? buf_printf(&f->url, "%s%s", agent, relative)
			      : buf_addstr(&f->url, full != NULL ? full : "")) == -1 ||
	    buf_terminate(&f->url) == -1) {
		aws_fetch_failed(f, "out of memory");
		return -1;
	}
	if (is_allowed(f->url.data))
		return 0;
	aws_fetch_failed(f, "AWS_CONTAINER_CREDENTIALS_FULL_URI: is wanted as https://… or as "
			    "http:// to this machine");
	return -1;
}

void
aws_container_start(struct aws_fetch *f)
{
	char *header;

	if (make_url(f) == -1 || make_header(f, &header) == -1)
		return;
	aws_fetch_ask(f,
	    &(struct ask){.url = f->url.data,
		.headers = (const char *const[]){header, NULL},
		.direct = true,
		.timeout_ms = TIMEOUT_MS},
	    on_answer);
	free(header);
}
