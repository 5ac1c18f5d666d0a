/* SPDX-License-Identifier: Apache-2.0 */
#include "requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "multi.h"

enum {
	BODY_MAX = 1024 * 1024,
	CONNECT_MS = 10000,
	/* On a connection of HTTP/2: libcurl 7.88 looks at all of them for each event on it. */
	STREAMS = 16,
	OTHER_CONNECTIONS = 8, /* kept for further hosts: of credentials, say */
	IDLE_S = 300,          /* connections unused for so long are not used again */
	/* How long a server that was sent Expect: 100-continue (libcurl does it with bodies over
	 * 1 MiB, and the header cannot be taken out of a signed request) may take to answer. */
	EXPECT_MS = 1,
};

struct request {
	struct requests *requests;
	struct request *next;
	struct request *prev;
	bool cut; /* its connection was given up */
	int64_t started_ms;
	CURL *easy;
	struct curl_slist *headers;
	request_done_fn *done;
	void *arg;
	struct buf body;
	char error[CURL_ERROR_SIZE];
};

struct requests {
	const struct log *log;
	struct multi *multi;
	long max_connections;
	char *ca_file;
	struct request *first;
	int64_t answered_ms; /* when the last answer came */
	bool multiplexed;    /* some were by HTTP/2 */
	bool suspect;        /* a connection may be dead: leave_connections */
};

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
request_free(struct requests *rs, struct request *r)
{
	if (rs->first == r)
		rs->first = r->next;
	else
		r->prev->next = r->next;
	if (r->next != NULL)
		r->next->prev = r->prev;
	curl_easy_cleanup(r->easy);
	curl_slist_free_all(r->headers);
	buf_free(&r->body);
	free(r);
}

/* What is beyond the room is read and dropped: the beginning tells what is wrong. */
static size_t
on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct request *r = arg;
	size_t room = r->body.max - r->body.len;

	(void)size; /* is 1 */
	return buf_add(&r->body, bytes, n < room ? n : room) == 0 ? n : CURL_WRITEFUNC_ERROR;
}

/* libcurl's words; why there is no connection it tells by a number alone. */
static const char *
say(struct request *r, CURLcode code)
{
	long number = 0;
	size_t len;

	if (r->error[0] == '\0')
		snprintf(r->error, sizeof(r->error), "%s", curl_easy_strerror(code));
	len = strlen(r->error);
	if (code == CURLE_COULDNT_CONNECT &&
	    curl_easy_getinfo(r->easy, CURLINFO_OS_ERRNO, &number) == CURLE_OK && number != 0)
		snprintf(r->error + len, sizeof(r->error) - len, ": %s", strerror((int)number));
	return r->error;
}

/* A request took too long. By HTTP/1.1 its connection has gone with it; others may be no better
 * when nothing came over them either. */
static void
watch_connections(struct requests *rs, const struct request *r, CURLcode code)
{
	long version = 0;

	if (code == CURLE_OK) {
		rs->answered_ms = now_ms();
		curl_easy_getinfo(r->easy, CURLINFO_HTTP_VERSION, &version);
		rs->multiplexed |= version == CURL_HTTP_VERSION_2_0;
	} else if (code == CURLE_OPERATION_TIMEDOUT) {
		rs->suspect |= rs->multiplexed || rs->answered_ms < r->started_ms;
	}
}

/* Is there an answer? A server that wants none of the request may answer before it has read it, and break
 * off what is still coming: of such an answer the end may be missing, and the status is enough. */
static bool
is_answered(CURLcode code, long status)
{
	return code == CURLE_OK || status == 401 || status == 429 || status >= 500;
}

static void
finish(void *arg, CURL *easy, CURLcode code)
{
	struct requests *rs = arg;
	struct request *r = NULL;
	struct answer a = {.body = ""};
	curl_off_t retry_s = 0;
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &r);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	watch_connections(rs, r, code);
	if (is_answered(code, status) && buf_terminate(&r->body) == 0) {
		a.status = status;
		curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_s);
		a.body = r->body.data;
		a.len = r->body.len;
		a.retry_after_ms = retry_s > 0 && retry_s < 3600 ? (int64_t)retry_s * 1000 : 0;
	}
	a.error = say(r, code);
	r->done(r->arg, &a);
	request_free(rs, r);
}

/* 0, or -1 with a message. */
static int
connect_anew(struct requests *rs)
{
	CURLM *handle;

	rs->multi = multi_open(rs->log, finish, rs);
	if (rs->multi == NULL)
		return -1;
	handle = multi_handle(rs->multi);
	curl_multi_setopt(handle, CURLMOPT_MAX_HOST_CONNECTIONS, rs->max_connections);
	/* Else as many as four times the requests under way, and so few when those end. */
	curl_multi_setopt(
	    handle, CURLMOPT_MAXCONNECTS, rs->max_connections + OTHER_CONNECTIONS);
	curl_multi_setopt(handle, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)STREAMS);
	return 0;
}

struct requests *
requests_open(const struct log *log, const char *ca_file, long max_connections)
{
	struct requests *rs = calloc(1, sizeof(*rs));

	if (rs == NULL || (ca_file != NULL && (rs->ca_file = strdup(ca_file)) == NULL)) {
		log_error(log, "out of memory");
		requests_close(rs);
		return NULL;
	}
	rs->log = log;
	rs->max_connections = max_connections;
	if (connect_anew(rs) == -1) {
		requests_close(rs);
		return NULL;
	}
	return rs;
}

static void
cancel(struct requests *rs, struct request *r)
{
	multi_remove(rs->multi, r->easy);
	request_free(rs, r);
}

void
requests_close(struct requests *rs)
{
	if (rs == NULL)
		return;
	while (rs->first != NULL)
		cancel(rs, rs->first);
	multi_close(rs->multi);
	free(rs->ca_file);
	free(rs);
}

static int
add_headers(struct request *r, const struct ask *ask)
{
	for (size_t i = 0; ask->headers != NULL && ask->headers[i] != NULL; i++) {
		struct curl_slist *more = curl_slist_append(r->headers, ask->headers[i]);

		if (more == NULL)
			return -1;
		r->headers = more;
	}
	curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers);
	return 0;
}

/* All that is copied by libcurl and may so fail. */
static int
set_texts(struct request *r, const struct ask *ask)
{
	CURL *e = r->easy;
	bool bad =
	    add_headers(r, ask) == -1 || curl_easy_setopt(e, CURLOPT_URL, ask->url) != CURLE_OK;

	if (ask->method != NULL)
		bad |= curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, ask->method) != CURLE_OK;
	if (ask->sigv4 != NULL)
		bad |= curl_easy_setopt(e, CURLOPT_AWS_SIGV4, ask->sigv4) != CURLE_OK ||
		       curl_easy_setopt(e, CURLOPT_USERNAME, ask->user) != CURLE_OK ||
		       curl_easy_setopt(e, CURLOPT_PASSWORD, ask->password) != CURLE_OK;
	if (ask->direct)
		bad |= curl_easy_setopt(e, CURLOPT_NOPROXY, "*") != CURLE_OK;
	if (r->requests->ca_file != NULL)
		bad |= curl_easy_setopt(e, CURLOPT_CAINFO, r->requests->ca_file) != CURLE_OK;
	return bad ? -1 : 0;
}

static int
set_up(struct request *r, const struct ask *ask)
{
	CURL *e = r->easy;

	curl_easy_setopt(e, CURLOPT_PRIVATE, r);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, r->error);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "kpublish/" KOLLECT_VERSION);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)ask->timeout_ms);
	curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, (long)IDLE_S);
	curl_easy_setopt(e, CURLOPT_EXPECT_100_TIMEOUT_MS, (long)EXPECT_MS);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, r);
	if (ask->body != NULL) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(e, CURLOPT_POSTFIELDS, ask->body);
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->len);
	}
	return set_texts(r, ask);
}

struct request *
requests_start(struct requests *rs, const struct ask *ask, request_done_fn *done, void *arg)
{
	struct request *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->requests = rs;
	r->started_ms = now_ms();
	r->done = done;
	r->arg = arg;
	buf_init(&r->body, BODY_MAX);
	r->body.max--; /* leaves room for the NUL */
	r->next = rs->first;
	if (r->next != NULL)
		r->next->prev = r;
	rs->first = r;
	r->easy = curl_easy_init();
	if (r->easy == NULL || set_up(r, ask) == -1 || multi_add(rs->multi, r->easy) == -1) {
		request_free(rs, r);
		return NULL;
	}
	return r;
}

void
requests_cancel(struct request *r)
{
	if (r != NULL)
		cancel(r->requests, r);
}

int
requests_fd(const struct requests *rs)
{
	return multi_fd(rs->multi);
}

int
requests_timeout_ms(const struct requests *rs)
{
	return multi_timeout_ms(rs->multi);
}

static struct request *
first_cut(const struct requests *rs)
{
	struct request *r = rs->first;

	while (r != NULL && !r->cut)
		r = r->next;
	return r;
}

/* libcurl ends a request that took too long, but not the connection of HTTP/2 that it was on,
 * and goes on using that, though nothing may ever come over it again. So every connection is
 * given up, with what is under way on it. */
static int
leave_connections(struct requests *rs)
{
	struct multi *old = rs->multi;
	struct request *r;

	rs->suspect = false;
	if (connect_anew(rs) == -1) {
		rs->multi = old;
		return -1;
	}
	for (r = rs->first; r != NULL; r = r->next) {
		multi_remove(old, r->easy);
		r->cut = true;
	}
	multi_close(old);
	while ((r = first_cut(rs)) != NULL) {
		struct answer a = {.body = "", .error = "no answer on this connection"};

		r->done(r->arg, &a);
		request_free(rs, r);
	}
	return 0;
}

int
requests_run(struct requests *rs)
{
	if (multi_run(rs->multi) == -1)
		return -1;
	return rs->suspect ? leave_connections(rs) : 0;
}
