/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_instance.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "aws_config.h"

enum { TIMEOUT_MS = 2000 };

static const char token_header[] = "X-aws-ec2-metadata-token: ";
static const char ttl_header[] = "X-aws-ec2-metadata-token-ttl-seconds: 300";
static const char roles[] = "/latest/meta-data/iam/security-credentials/";

static const char *
service(void)
{
	const char *given = aws_config_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *mode = aws_config_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");

	if (given != NULL)
		return given;
	return mode != NULL && strcasecmp(mode, "ipv6") == 0 ? "http://[fd00:ec2::254]"
							     : "http://169.254.169.254";
}

/* It is asked last, so that it may not be what was meant. */
static void
no_token(struct aws_fetch *f, const char *why)
{
	aws_fetch_failed(f,
	    "none of AWS_ACCESS_KEY_ID, AWS_WEB_IDENTITY_TOKEN_FILE, a profile and "
	    "AWS_CONTAINER_CREDENTIALS_FULL_URI says them, and instance metadata at %s: %s",
	    service(), why);
}

/* Did it answer well? Else the end. */
static bool
is_good(struct aws_fetch *f, const struct answer *answer, const char *what)
{
	if (answer->status == 0)
		aws_fetch_failed(f, "instance metadata at %s: %s", service(), answer->error);
	else if (answer->status == 404)
		aws_fetch_failed(f, "instance metadata at %s has no %s", service(), what);
	else if (answer->status != 200)
		aws_fetch_failed(f, "instance metadata at %s answers %ld when asked for %s",
		    service(), answer->status, what);
	return answer->status == 200;
}

/* The service's address, path and name, one behind the other. -1: it has failed. */
static int
set_url(struct aws_fetch *f, const char *path, const char *name, size_t len)
{
	const char *host = service();
	size_t host_len = strlen(host);

	while (host_len > 0 && host[host_len - 1] == '/')
		host_len--;
	f->url.len = 0;
	if (buf_add(&f->url, host, host_len) == 0 && buf_addstr(&f->url, path) == 0 &&
	    buf_add(&f->url, name, len) == 0 && buf_terminate(&f->url) == 0)
		return 0;
	aws_fetch_failed(f, "out of memory");
	return -1;
}

/* Asks for one of the roles, or which there are, with the token. */
static void
get(struct aws_fetch *f, const char *role, size_t len, request_done_fn *on_answer)
{
	if (set_url(f, roles, role, len) == -1)
		return;
	aws_fetch_ask(f,
	    &(struct ask){.url = f->url.data,
		.headers = (const char *const[]){f->token.data, NULL},
		.direct = true,
		.timeout_ms = TIMEOUT_MS},
	    on_answer);
}

static void
on_keys(void *arg, const struct answer *answer)
{
	struct aws_fetch *f = arg;

	if (is_good(f, answer, "keys of the role"))
		aws_fetch_json(f, answer, f->url.data);
}

/* The first line names the role. */
static void
on_role(void *arg, const struct answer *answer)
{
	struct aws_fetch *f = arg;
	size_t len = strcspn(answer->body, "\r\n");

	if (!is_good(f, answer, "role"))
		return;
	if (len == 0 || len != strspn(answer->body, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
						    "abcdefghijklmnopqrstuvwxyz"
						    "0123456789+=,.@_-"))
		aws_fetch_failed(f, "instance metadata at %s names no role", service());
	else
		get(f, answer->body, len, on_keys);
}

static void
on_token(void *arg, const struct answer *answer)
{
	struct aws_fetch *f = arg;
	char why[64];

	if (answer->status != 200) {
		snprintf(why, sizeof(why), "it answers %ld", answer->status);
		no_token(f, answer->status == 0 ? answer->error : why);
		return;
	}
	if (buf_addstr(&f->token, token_header) == -1 ||
	    buf_add(&f->token, answer->body, strcspn(answer->body, "\r\n")) == -1 ||
	    buf_terminate(&f->token) == -1)
		aws_fetch_failed(f, "out of memory");
	else
		get(f, "", 0, on_role);
}

void
aws_instance_start(struct aws_fetch *f)
{
	const char *disabled = aws_config_variable("AWS_EC2_METADATA_DISABLED");

	if (disabled != NULL && strcasecmp(disabled, "true") == 0) {
		no_token(f, "AWS_EC2_METADATA_DISABLED");
		return;
	}
	if (set_url(f, "/latest/api/token", "", 0) == -1)
		return;
	aws_fetch_ask(f,
	    &(struct ask){.url = f->url.data,
		.headers = (const char *const[]){ttl_header, NULL},
		.method = "PUT",
		.direct = true,
		.timeout_ms = TIMEOUT_MS},
	    on_token);
}
