/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_fetch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws_config.h"
#include "aws_container.h"
#include "aws_instance.h"
#include "aws_profile.h"
#include "aws_sts.h"
#include "file.h"

enum {
	BODY_MAX = 256 * 1024,
	TOKEN_FILE_MAX = 64 * 1024,
	WHY_SIZE = 512,
};

char *
aws_fetch_file(const char *path)
{
	static const char blank[] = " \t\r\n";
	size_t len;
	char *text = file_read(path, TOKEN_FILE_MAX, &len);
	size_t skip;

	if (text == NULL)
		return NULL;
	while (len > 0 && strchr(blank, text[len - 1]) != NULL)
		len--;
	text[len] = '\0';
	skip = strspn(text, blank);
	memmove(text, text + skip, len - skip + 1);
	return text;
}

/* Two variables that mean something only together. */
static int
check_pair(const char *a, const char *b, const struct log *log)
{
	bool has_a = aws_config_variable(a) != NULL;
	bool has_b = aws_config_variable(b) != NULL;

	if (has_a == has_b)
		return 0;
	log_error(log, "%s is set, and %s is not", has_a ? a : b, has_a ? b : a);
	return -1;
}

int
aws_fetch_init(struct aws_fetch *f, struct requests *requests, const char *region,
    aws_fetched_fn *done, void *arg, const struct log *log)
{
	*f = (struct aws_fetch){
	    .requests = requests, .region = region, .done = done, .arg = arg};
	buf_init(&f->url, BODY_MAX);
	buf_init(&f->body, BODY_MAX);
	buf_init(&f->token, BODY_MAX);
	if (check_pair("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", log) == -1)
		return -1;
	/* A role alone may be meant for others. */
	if (aws_config_variable("AWS_ACCESS_KEY_ID") != NULL ||
	    aws_config_variable("AWS_WEB_IDENTITY_TOKEN_FILE") == NULL)
		return 0;
	return check_pair("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", log);
}

/* Gives back what a try took. */
static void
end(struct aws_fetch *f)
{
	f->busy = false;
	f->request = NULL;
	buf_free(&f->url);
	buf_free(&f->body);
	buf_free(&f->token);
}

void
aws_fetch_stop(struct aws_fetch *f)
{
	requests_cancel(f->request);
	end(f);
}

void
aws_fetch_got(struct aws_fetch *f, struct aws_keys *keys)
{
	end(f);
	f->done(f->arg, keys, NULL);
}

void
aws_fetch_failed(struct aws_fetch *f, const char *fmt, ...)
{
	char why[WHY_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	end(f);
	f->done(f->arg, NULL, why);
}

void
aws_fetch_ask(struct aws_fetch *f, const struct ask *ask, request_done_fn *on_answer)
{
	f->request = requests_start(f->requests, ask, on_answer, f);
	if (f->request == NULL)
		aws_fetch_failed(f, "out of memory");
}

void
aws_fetch_json(struct aws_fetch *f, const struct answer *answer, const char *where)
{
	struct aws_keys keys;
	const char *why;

	if (answer->status == 0)
		aws_fetch_failed(f, "%s: %s", where, answer->error);
	else if (answer->status != 200)
		aws_fetch_failed(f, "%s answers %ld", where, answer->status);
	else if (aws_keys_read_json(&keys, answer->body, answer->len, &why) == -1)
		aws_fetch_failed(f, "%s: its answer: %s", where, why);
	else
		aws_fetch_got(f, &keys);
}

static void
from_environment(struct aws_fetch *f)
{
	struct aws_keys keys;
	const char *why;

	if (aws_keys_set(&keys, getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"),
		getenv("AWS_SESSION_TOKEN"), &why) == -1)
		aws_fetch_failed(f,
		    "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, "
		    "AWS_SESSION_TOKEN: %s",
		    why);
	else
		aws_fetch_got(f, &keys);
}

void
aws_fetch_start(struct aws_fetch *f)
{
	struct aws_keys keys;
	char why[WHY_SIZE];

	f->busy = true;
	if (aws_config_variable("AWS_ACCESS_KEY_ID") != NULL) {
		from_environment(f);
		return;
	}
	if (aws_config_variable("AWS_WEB_IDENTITY_TOKEN_FILE") != NULL) {
		aws_sts_start(f);
		return;
	}
	switch (aws_profile_read(&keys, why, sizeof(why))) {
	case AWS_PROFILE_KEYS:
		aws_fetch_got(f, &keys);
		return;
	case AWS_PROFILE_BAD:
		aws_fetch_failed(f, "%s", why);
		return;
	case AWS_PROFILE_NONE:
		break;
	}
	if (aws_config_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != NULL ||
	    aws_config_variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") != NULL)
		aws_container_start(f);
	else
		aws_instance_start(f);
}
