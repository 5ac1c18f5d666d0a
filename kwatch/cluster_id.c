/* SPDX-License-Identifier: Apache-2.0 */
/* One request for one object: run_cluster_id of run.h. */
#include <stdio.h>
#include <stdlib.h>

#include "backoff.h"
#include "clock.h"
#include "run.h"
#include "status.h"
#include "text.h"

static const char path[] = "/api/v1/namespaces/kube-system";

enum { BODY_MAX = 4 * 1024 * 1024, WAIT_MS = 1000 };

struct asking {
	struct env *env;
	struct transfer *transfer;
	struct buf body;
	struct backoff backoff;
	int64_t next_ms;
	bool complained;
	bool done;
	int code;
};

static int
on_body(void *arg, const char *bytes, size_t n)
{
	struct asking *a = arg;

	return buf_add(&a->body, bytes, n);
}

static int
print_uid(struct asking *a)
{
	struct object object;
	const char *why = "it has no uid";
	char *uid;
	size_t at;
	int result;

	if (object_scan(a->body.data != NULL ? a->body.data : "", a->body.len, &object, &why,
		&at) == -1 ||
	    object.uid.p == NULL) {
		log_error(a->env->log, "%s%s: %s", a->env->cluster.server, path, why);
		return EXIT_FAILED;
	}
	uid = text_dup(&object.uid);
	result = uid != NULL && printf("%s\n", uid) >= 0 && fflush(stdout) == 0 ? EXIT_OK
										: EXIT_FAILED;
	free(uid);
	return result;
}

static void
on_done(void *arg, const struct http_answer *answer)
{
	struct asking *a = arg;
	const struct log *log = a->env->log;
	struct status status = {.code = 0};

	a->transfer = NULL;
	if (answer->status == 200 && answer->complete) {
		a->code = print_uid(a);
		a->done = true;
		return;
	}
	if (!a->complained && (answer->status == 0 || answer->status == 200)) {
		log_error(log, "%s: %s", a->env->cluster.server, answer->error);
	} else if (!a->complained) {
		status_parse(&status, answer->body, answer->len);
		log_error(log, "%s%s: %ld %s: %s", a->env->cluster.server, path, answer->status,
		    http_reason(answer->status), status.message);
	}
	a->complained = true;
	a->done = !a->env->opt.forever;
	a->next_ms = clock_ms() + backoff_next(&a->backoff, clock_ms(), answer->retry_ms);
	if (answer->status == 401)
		cluster_refresh(&a->env->cluster, true);
}

int
run_cluster_id(struct env *env)
{
	static const struct http_handler handler = {on_body, on_done};
	struct asking a = {.env = env, .code = EXIT_FAILED};

	buf_init(&a.body, BODY_MAX);
	while (!a.done) {
		if (a.transfer == NULL && a.next_ms <= clock_ms()) {
			a.body.len = 0;
			a.transfer = http_get(
			    env->http, path, "application/json", HTTP_ANSWER, &handler, &a);
			a.next_ms = clock_ms() + WAIT_MS;
		}
		if (http_run(env->http, WAIT_MS, run_idle, env) == -1 ||
		    tool_stopping(env->stop_fd))
			break;
	}
	http_cancel(env->http, a.transfer);
	buf_free(&a.body);
	return a.code;
}
