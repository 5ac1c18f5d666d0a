/* SPDX-License-Identifier: Apache-2.0 */
#include "multi.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_MAX = 64, IDLE_MS = 20 };

/* libcurl (7.88) wants to write to an HTTP/2 connection also while the server's window lets nothing through;
 * the socket takes bytes, so that is said again and again. Such a one is idle: not asked about writing until
 * there is something to read, as a larger window is, or IDLE_MS have passed. */
struct socket {
	curl_socket_t fd;
	uint32_t wanted; /* events */
	bool idle;
	struct socket *next;
};

struct multi {
	CURLM *handle;
	const struct log *log;
	multi_done_fn *done;
	void *arg;
	int epoll_fd;
	int64_t timer_ms; /* when libcurl wants to be called; -1: not at all */
	struct socket *sockets;
	int64_t idle_ms; /* until then some are idle; -1: none is */
};

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct socket **
find(struct multi *m, curl_socket_t fd)
{
	struct socket **s = &m->sockets;

	while (*s != NULL && (*s)->fd != fd)
		s = &(*s)->next;
	return s;
}

static void
ask(struct multi *m, struct socket *s, int op)
{
	struct epoll_event event = {.data.fd = s->fd, .events = s->wanted};

	if (s->idle)
		event.events &= ~(uint32_t)EPOLLOUT;
	if (epoll_ctl(m->epoll_fd, op, s->fd, &event) == -1)
		log_error(m->log, "epoll_ctl: %s", strerror(errno));
}

static void
forget(struct multi *m, struct socket **place)
{
	struct socket *s = *place;

	(void)epoll_ctl(m->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
	*place = s->next;
	free(s);
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct multi *m = arg;
	struct socket **place = find(m, fd);
	struct socket *s = *place;
	int op = s == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	(void)easy;
	(void)known;
	if (what == CURL_POLL_REMOVE) {
		if (s != NULL)
			forget(m, place);
		return 0;
	}
	if (s == NULL) {
		s = calloc(1, sizeof(*s));
		if (s == NULL) {
			log_error(m->log, "out of memory");
			return -1;
		}
		s->fd = fd;
		*place = s;
	}
	s->wanted = 0;
	if (what & CURL_POLL_IN)
		s->wanted |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		s->wanted |= EPOLLOUT;
	s->idle = false;
	ask(m, s, op);
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
	*m =
	    (struct multi){.log = log, .done = done, .arg = arg, .timer_ms = -1, .idle_ms = -1};
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
	while (m->sockets != NULL)
		forget(m, &m->sockets);
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
	int64_t at = m->timer_ms;
	int64_t left;

	if (m->idle_ms != -1 && (at == -1 || m->idle_ms < at))
		at = m->idle_ms;
	if (at == -1)
		return -1;
	left = at - now_ms();
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

/* How many bytes have been written to it; 0 where the system does not say. */
static uint64_t
written(curl_socket_t fd)
{
	struct tcp_info info = {.tcpi_state = 0};
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == -1)
		return 0;
	return info.tcpi_bytes_sent + info.tcpi_notsent_bytes;
}

static void
set_idle(struct multi *m, struct socket *s, bool idle)
{
	if (s == NULL || s->idle == idle)
		return;
	s->idle = idle;
	ask(m, s, EPOLL_CTL_MOD);
	if (idle && m->idle_ms == -1)
		m->idle_ms = now_ms() + IDLE_MS;
}

static void
act(struct multi *m, const struct epoll_event *event)
{
	curl_socket_t fd = event->data.fd;
	bool writes = event->events == EPOLLOUT;
	uint64_t before = writes ? written(fd) : 0;
	int running;

	curl_multi_socket_action(m->handle, fd, what_happened(event->events), &running);
	/* It may be gone by now. */
	set_idle(m, *find(m, fd), writes && before > 0 && written(fd) == before);
}

/* Those that were idle are asked again. */
static void
end_idleness(struct multi *m)
{
	if (m->idle_ms == -1 || m->idle_ms > now_ms())
		return;
	m->idle_ms = -1;
	for (struct socket *s = m->sockets; s != NULL; s = s->next)
		set_idle(m, s, false);
}

int
multi_run(struct multi *m)
{
	struct epoll_event events[EVENTS_MAX];
	int running;
	int n;

	end_idleness(m);
	n = epoll_wait(m->epoll_fd, events, EVENTS_MAX, 0);
	if (n == -1 && errno != EINTR) {
		log_error(m->log, "epoll_wait: %s", strerror(errno));
		return -1;
	}
	for (int i = 0; i < n; i++)
		act(m, &events[i]);
	if (m->timer_ms != -1 && m->timer_ms <= now_ms()) {
		m->timer_ms = -1;
		curl_multi_socket_action(m->handle, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	return collect_finished(m) + (n > 0 ? n : 0);
}
