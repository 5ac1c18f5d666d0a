/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_sts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aws_answer.h"
#include "aws_config.h"
#include "text.h"

enum { TIMEOUT_MS = 15000 };

static void
on_answer(void *arg, const struct answer *answer)
{
	struct aws_fetch *f = arg;
	struct aws_error error;
	struct aws_keys keys;
	const char *where = f->url.data;
	const char *why;

	if (answer->status == 0) {
		aws_fetch_failed(f, "%s: %s", where, answer->error);
	} else if (answer->status != 200) {
		aws_answer_error_xml(answer->body, answer->len, &error);
		aws_answer_censor(&error);
		aws_fetch_failed(f, "%s for the role in AWS_ROLE_ARN: %ld %s%s%s", where,
		    answer->status, error.code, *error.text != '\0' ? ": " : "", error.text);
	} else if (aws_keys_read_xml(&keys, answer->body, answer->len, &why) == -1) {
		aws_fetch_failed(f, "%s: its answer: %s", where, why);
	} else {
		aws_fetch_got(f, &keys);
	}
}

static int
add_parameter(struct buf *to, const char *name, const char *value)
{
	return buf_printf(to, "&%s=", name) == -1 ? -1 : text_add_query(to, value);
}

static int
make_body(struct aws_fetch *f, const char *token)
{
	const char *session = aws_config_variable("AWS_ROLE_SESSION_NAME");
	const char *role = aws_config_variable("AWS_ROLE_ARN");
	int bad = buf_addstr(&f->body, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15");

	bad |= add_parameter(&f->body, "RoleArn", role != NULL ? role : "");
	bad |=
	    add_parameter(&f->body, "RoleSessionName", session != NULL ? session : "kpublish");
	return bad | add_parameter(&f->body, "WebIdentityToken", token);
}

static int
make_url(struct aws_fetch *f)
{
	const char *region = aws_config_variable("AWS_REGION");
	char *url;
	int bad;

	if (region == NULL)
		region = aws_config_variable("AWS_DEFAULT_REGION");
	/* The keys are good everywhere, but another region's STS may be out of reach. */
	url = aws_config_endpoint("sts", region != NULL ? region : f->region);
	bad = url == NULL || buf_addstr(&f->url, url) == -1 || buf_terminate(&f->url) == -1;

	free(url);
	return bad ? -1 : 0;
}

void
aws_sts_start(struct aws_fetch *f)
{
	const char *path = aws_config_variable("AWS_WEB_IDENTITY_TOKEN_FILE");
	char *token = aws_fetch_file(path != NULL ? path : "");
	struct ask ask = {.timeout_ms = TIMEOUT_MS};

	if (token == NULL) {
		aws_fetch_failed(
		    f, "AWS_WEB_IDENTITY_TOKEN_FILE: %s: %s", path, strerror(errno));
		return;
	}
	if (make_url(f) == -1 || make_body(f, token) == -1) {
		aws_fetch_failed(f, "out of memory");
	} else {
		ask.url = f->url.data;
		ask.body = f->body.data;
		ask.len = f->body.len;
		aws_fetch_ask(f, &ask, on_answer);
	}
	free(token);
}
