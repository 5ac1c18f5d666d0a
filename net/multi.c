/* SPDX-License-Identifier: Apache-2.0 */
#include "multi.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_MAX = 64 };

struct multi {
	CURLM *handle;
	const struct log *log;
	multi_done_fn *done;
	void *arg;
	int epoll_fd;
	int64_t timer_ms; /* when libcurl wants to be called; -1: not at all */
};

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct multi *m = arg;
	struct epoll_event event = {.data.fd = fd};

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(m->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		event.events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		event.events |= EPOLLOUT;
	if (epoll_ctl(m->epoll_fd, known != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) ==
	    -1)
		log_error(m->log, "epoll_ctl: %s", strerror(errno));
	if (known == NULL)
		curl_multi_assign(m->handle, fd, m);
	return 0;
}

static int
on_timer(CURLM *handle, long timeout_ms, void *arg)
{
	struct multi *m = arg;

	(void)handle;
	m->timer_ms = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
	return 0;
}

struct multi *
multi_open(const struct log *log, multi_done_fn *done, void *arg)
{
	struct multi *m = calloc(1, sizeof(*m));

	if (m == NULL) {
		log_error(log, "out of memory");
		return NULL;
	}
	*m = (struct multi){.log = log, .done = done, .arg = arg, .timer_ms = -1};
	m->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (m->epoll_fd == -1) {
		log_error(log, "epoll: %s", strerror(errno));
		multi_close(m);
		return NULL;
	}
	m->handle = curl_multi_init();
	if (m->handle == NULL) {
		log_error(log, "libcurl cannot be set up");
		multi_close(m);
		return NULL;
	}
	curl_multi_setopt(m->handle, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(m->handle, CURLMOPT_SOCKETDATA, m);
	curl_multi_setopt(m->handle, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(m->handle, CURLMOPT_TIMERDATA, m);
	curl_multi_setopt(m->handle, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	return m;
}

void
multi_close(struct multi *m)
{
	if (m == NULL)
		return;
	if (m->handle != NULL)
		curl_multi_cleanup(m->handle);
	if (m->epoll_fd != -1)
		close(m->epoll_fd);
	free(m);
}

CURLM *
multi_handle(struct multi *m)
{
	return m->handle;
}

int
multi_add(struct multi *m, CURL *easy)
{
	return curl_multi_add_handle(m->handle, easy) == CURLM_OK ? 0 : -1;
}

void
multi_remove(struct multi *m, CURL *easy)
{
	curl_multi_remove_handle(m->handle, easy);
}

int
multi_fd(const struct multi *m)
{
	return m->epoll_fd;
}

int
multi_timeout_ms(const struct multi *m)
{
	int64_t left;

	if (m->timer_ms == -1)
		return -1;
	left = m->timer_ms - now_ms();
	return left > 0 ? (int)left : 0;
}

/* How many there were. */
static int
collect_finished(struct multi *m)
{
	CURLMsg *message;
	int n = 0;
	int left;

	while ((message = curl_multi_info_read(m->handle, &left)) != NULL) {
		CURL *easy = message->easy_handle;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_multi_remove_handle(m->handle, easy);
		m->done(m->arg, easy, code);
		n++;
	}
	return n;
}

static int
what_happened(uint32_t events)
{
	int what = 0;

	if (events & EPOLLIN)
		what |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (events & (EPOLLERR | EPOLLHUP))
		what |= CURL_CSELECT_ERR;
	return what;
}

int
multi_run(struct multi *m)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(m->epoll_fd, events, EVENTS_MAX, 0);
	int running;

	if (n == -1 && errno != EINTR) {
		log_error(m->log, "epoll_wait: %s", strerror(errno));
		return -1;
	}
	for (int i = 0; i < n; i++)
		curl_multi_socket_action(
		    m->handle, events[i].data.fd, what_happened(events[i].events), &running);
	if (m->timer_ms != -1 && m->timer_ms <= now_ms()) {
		m->timer_ms = -1;
		curl_multi_socket_action(m->handle, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	return collect_finished(m) + (n > 0 ? n : 0);
}
