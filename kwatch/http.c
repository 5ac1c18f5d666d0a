/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "multi.h"
#include "text.h"

enum {
	ERROR_BODY_MAX = 64 * 1024,
	/* kube-apiserver's own limit; libcurl opens another connection when it is reached. */
	STREAMS_MAX = 100,
	/* When all connections are full, libcurl opens one for each request that it is given
	 * before the first of these is there: after a restart of the server that would be
	 * hundreds. */
	UNSENT_MAX = 4,
	READ_SIZE = 64 * 1024,
	SILENCE_S = 60,
};

struct transfer {
	struct http *http;
	struct transfer *next; /* list of all in the order of http_get */
	struct transfer *prev;
	bool started; /* libcurl has it: all before http->waiting, and none from there */
	bool sent;    /* it has a connection, and its request goes out */
	CURL *easy;
	struct curl_slist *headers;
	struct curl_slist *via;
	const struct http_handler *handler;
	void *arg;
	long status; /* once the body has begun */
	struct buf error_body;
	char error[CURL_ERROR_SIZE];
};

struct http {
	struct multi *multi;
	struct cluster *cluster;
	const struct log *log;
	int stop_fd;
	int out_fd;
	int wake_fd;     /* of http_wake_on; -1: none */
	bool out_closed; /* out_fd's reader has gone */
	struct transfer *first;
	struct transfer *last;
	struct transfer *waiting; /* the first that has not been started */
	int unsent;               /* started, and neither sent nor over: UNSENT_MAX at most */
};

static size_t
on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	(void)size; /* is 1 */
	if (t->status == 0)
		curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
	if (t->status == 200)
		return t->handler->body(t->arg, bytes, n) == 0 ? n : CURL_WRITEFUNC_ERROR;
	if (n > t->error_body.max - t->error_body.len)
		(void)buf_add(&t->error_body, bytes, t->error_body.max - t->error_body.len);
	else
		(void)buf_add(&t->error_body, bytes, n);
	return n;
}

/* Called by libcurl when the request has got its connection. */
static int
on_connected(void *arg, char *to, char *from, int to_port, int from_port)
{
	struct transfer *t = arg;

	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	if (!t->sent)
		t->http->unsent--;
	t->sent = true;
	return CURL_PREREQFUNC_OK;
}

/* Takes it out of libcurl's hands, if it is in them. */
static void
stop(struct transfer *t)
{
	if (t->started && !t->sent)
		t->http->unsent--;
	if (t->started)
		multi_remove(t->http->multi, t->easy);
	t->started = false;
}

static void
transfer_free(struct http *http, struct transfer *t)
{
	if (http->waiting == t)
		http->waiting = t->next;
	if (http->first == t)
		http->first = t->next;
	else
		t->prev->next = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	else
		http->last = t->prev;
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	curl_slist_free_all(t->via);
	buf_free(&t->error_body);
	free(t);
}

static int
set_up(struct transfer *t, const char *path, const char *accept, enum http_kind kind)
{
	char *url = text_printf("%s%s", t->http->cluster->base, path);
	char *line = text_printf("Accept: %s", accept);
	CURL *e = t->easy;
	int bad = url == NULL || line == NULL;

	if (!bad) {
		t->headers = curl_slist_append(NULL, line);
		bad = t->headers == NULL || curl_easy_setopt(e, CURLOPT_URL, url) != CURLE_OK ||
		      cluster_setup(t->http->cluster, e, &t->headers, &t->via) == -1;
		curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->headers);
	}
	free(url);
	free(line);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "kwatch/" KOLLECT_VERSION);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
	curl_easy_setopt(e, CURLOPT_BUFFERSIZE, (long)READ_SIZE);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_connected);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, t);
	if (kind == HTTP_ANSWER) {
		curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_S);
	}
	return bad ? -1 : 0;
}

/* Ends a request that did not get as far as libcurl. */
static void
fail(struct http *http, struct transfer *t, const char *why)
{
	struct http_answer answer = {.error = why, .body = ""};

	t->handler->done(t->arg, &answer);
	transfer_free(http, t);
}

/* Without a connection to be had, those that wait would fail in their turn, each after its
 * time. */
static void
fail_waiting(struct http *http, const char *why)
{
	const struct transfer *last = http->last;
	bool more = http->waiting != NULL;

	while (more && http->waiting != NULL) {
		more = http->waiting != last;
		fail(http, http->waiting, why);
	}
}

/* Tells how it ended, after the transfer itself is gone from libcurl's hands. */
static void
finish(void *arg, CURL *easy, CURLcode code)
{
	struct http *http = arg;
	struct http_answer answer = {.complete = code == CURLE_OK};
	struct transfer *t = NULL;
	curl_off_t retry_s = 0;
	long size = 0;
	bool connected;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
	curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_s);
	curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &size);
	connected = t->sent;
	stop(t);
	answer.reached = size > 0;
	answer.retry_ms = retry_s > 0 && retry_s < 3600 ? (int64_t)retry_s * 1000 : 0;
	answer.error = t->error[0] != '\0' ? t->error : curl_easy_strerror(code);
	if (buf_terminate(&t->error_body) == 0) {
		answer.body = t->error_body.data;
		answer.len = t->error_body.len;
	} else {
		answer.body = "";
	}
	t->handler->done(t->arg, &answer);
	if (!connected)
		fail_waiting(http, answer.error);
	transfer_free(http, t);
}

/* Hands libcurl as many requests as it may have now. */
static void
start_waiting(struct http *http)
{
	while (http->waiting != NULL && http->unsent < UNSENT_MAX) {
		struct transfer *t = http->waiting;

		if (multi_add(http->multi, t->easy) == -1) {
			fail(http, t, "out of memory");
			return;
		}
		http->waiting = t->next;
		t->started = true;
		http->unsent++;
	}
}

struct http *
http_open(struct cluster *cluster, int stop_fd, int out_fd, const struct log *log)
{
	struct http *http = calloc(1, sizeof(*http));

	if (http == NULL) {
		log_error(log, "out of memory");
		return NULL;
	}
	*http = (struct http){.cluster = cluster,
	    .log = log,
	    .stop_fd = stop_fd,
	    .out_fd = out_fd,
	    .wake_fd = -1};
	http->multi = multi_open(log, finish, http);
	if (http->multi == NULL) {
		free(http);
		return NULL;
	}
	curl_multi_setopt(
	    multi_handle(http->multi), CURLMOPT_MAX_CONCURRENT_STREAMS, (long)STREAMS_MAX);
	return http;
}

void
http_close(struct http *http)
{
	if (http == NULL)
		return;
	while (http->first != NULL)
		http_cancel(http, http->first);
	multi_close(http->multi);
	free(http);
}

struct transfer *
http_get(struct http *http, const char *path, const char *accept, enum http_kind kind,
    const struct http_handler *handler, void *arg)
{
	struct transfer *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	cluster_refresh(http->cluster, false);
	t->http = http;
	t->handler = handler;
	t->arg = arg;
	buf_init(&t->error_body, ERROR_BODY_MAX);
	t->error_body.max--; /* leaves room for the NUL */
	t->easy = curl_easy_init();
	t->prev = http->last;
	if (t->prev != NULL)
		t->prev->next = t;
	else
		http->first = t;
	http->last = t;
	if (http->waiting == NULL)
		http->waiting = t;
	if (t->easy == NULL || set_up(t, path, accept, kind) == -1) {
		transfer_free(http, t);
		return NULL;
	}
	return t;
}

void
http_cancel(struct http *http, struct transfer *transfer)
{
	if (transfer == NULL)
		return;
	stop(transfer);
	transfer_free(http, transfer);
}

/* How long the wait may be: until libcurl's timer or the caller's. */
static int
sleep_ms(const struct http *http, int timeout_ms)
{
	int left = multi_timeout_ms(http->multi);

	return left != -1 && (timeout_ms < 0 || left < timeout_ms) ? left : timeout_ms;
}

static void
wait_for_something(struct http *http, int timeout_ms)
{
	struct pollfd fds[] = {
	    {.fd = multi_fd(http->multi), .events = POLLIN},
	    {.fd = http->stop_fd, .events = POLLIN},
	    {.fd = http->out_fd, .events = 0}, /* its reader's end alone */
	    {.fd = http->wake_fd, .events = POLLIN},
	};

	if (poll(fds, sizeof(fds) / sizeof(fds[0]), sleep_ms(http, timeout_ms)) > 0 &&
	    (fds[2].revents & POLLERR) != 0)
		http->out_closed = true;
}

int
http_run(struct http *http, int timeout_ms, void (*idle)(void *arg), void *arg)
{
	int n;

	start_waiting(http);
	n = multi_run(http->multi);
	if (n != 0 || sleep_ms(http, timeout_ms) == 0)
		return n == -1 ? -1 : 0;
	idle(arg);
	wait_for_something(http, timeout_ms);
	return multi_run(http->multi) == -1 ? -1 : 0;
}

void
http_wake_on(struct http *http, int fd)
{
	http->wake_fd = fd;
}

bool
http_out_closed(const struct http *http)
{
	return http->out_closed;
}

const char *
http_reason(long status)
{
	static const struct {
		long status;
		const char *reason;
	} table[] = {{400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"},
	    {404, "Not Found"}, {405, "Method Not Allowed"}, {406, "Not Acceptable"},
	    {410, "Gone"}, {422, "Unprocessable Entity"}, {429, "Too Many Requests"},
	    {500, "Internal Server Error"}, {502, "Bad Gateway"}, {503, "Service Unavailable"},
	    {504, "Gateway Timeout"}};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].status == status)
			return table[i].reason;
	return "HTTP error";
}
