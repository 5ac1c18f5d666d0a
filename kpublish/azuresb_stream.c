/* SPDX-License-Identifier: Apache-2.0 */
#include "azuresb_stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "azuresb_resolve.h"
#include "azuresb_tls.h"
#include "core.h"

enum { ADDRESS_MS = 5000 }; /* for one address to answer */

enum state { RESOLVING, CONNECTING, HANDSHAKING, OPEN, FAILED };

struct azuresb_stream {
	const char *host;
	const char *port;
	bool with_tls;
	enum state state;
	int epoll;
	struct azuresb_resolve *resolve;
	struct addrinfo *addresses; /* owned */
	struct addrinfo *next;      /* of them, to be tried */
	int64_t began_ms;           /* with the present one */
	int fd;                     /* of the socket; -1: none */
	uint32_t events;            /* that the epoll waits for on it */
	struct azuresb_tls *tls;
	char why[512];
};

struct azuresb_stream *
azuresb_stream_open(const char *host, const char *port, bool tls)
{
	struct azuresb_stream *s = calloc(1, sizeof(*s));
	struct epoll_event event = {.events = EPOLLIN};

	if (s == NULL)
		return NULL;
	s->host = host;
	s->port = port;
	s->with_tls = tls;
	s->fd = -1;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll != -1)
		s->resolve = azuresb_resolve_start(host, port);
	if (s->resolve == NULL ||
	    epoll_ctl(s->epoll, EPOLL_CTL_ADD, azuresb_resolve_fd(s->resolve), &event) == -1) {
		azuresb_stream_close(s);
		return NULL;
	}
	return s;
}

/* Away with the socket. */
static void
drop_socket(struct azuresb_stream *s)
{
	azuresb_tls_close(s->tls);
	s->tls = NULL;
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
}

void
azuresb_stream_close(struct azuresb_stream *s)
{
	int saved = errno;

	if (s == NULL)
		return;
	drop_socket(s);
	azuresb_resolve_free(s->resolve);
	if (s->addresses != NULL)
		freeaddrinfo(s->addresses);
	if (s->epoll != -1)
		close(s->epoll);
	free(s);
	errno = saved;
}

static void
fail(struct azuresb_stream *s, const char *what, const char *why)
{
	snprintf(s->why, sizeof(s->why), "%s%s:%s: %s", what, s->host, s->port, why);
	s->state = FAILED;
}

/* The look-up is let go before its descriptor leaves the epoll by being closed: the thread may
 * still have it. */
static void
take_addresses(struct azuresb_stream *s)
{
	int error;

	if (!azuresb_resolve_take(s->resolve, &error, &s->addresses))
		return;
	epoll_ctl(s->epoll, EPOLL_CTL_DEL, azuresb_resolve_fd(s->resolve), NULL);
	azuresb_resolve_free(s->resolve);
	s->resolve = NULL;
	if (error != 0) {
		fail(s, "cannot look up ",
		    error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
		return;
	}
	s->next = s->addresses;
	s->state = CONNECTING;
}

static int
watch(struct azuresb_stream *s, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events};

	s->events = events;
	return epoll_ctl(s->epoll, operation, s->fd, &event);
}

/* Is output to be waited for? Input always is. */
static void
want_write(struct azuresb_stream *s, bool yes)
{
	uint32_t events = EPOLLIN | (yes ? EPOLLOUT : 0u);

	if (events != s->events)
		watch(s, EPOLL_CTL_MOD, events);
}

/* Begins to connect to the next address. 0 or an error number. */
static int
begin(struct azuresb_stream *s)
{
	const struct addrinfo *a = s->next;
	static const int one = 1;

	s->next = a->ai_next;
	s->began_ms = core_now_ms();
	s->fd =
	    socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
	if (s->fd == -1 || watch(s, EPOLL_CTL_ADD, EPOLLOUT) == -1)
		return errno;
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(s->fd, a->ai_addr, a->ai_addrlen) == -1 && errno != EINPROGRESS)
		return errno;
	return 0;
}

/* What has become of the connection that was begun: 0, EINPROGRESS or what went wrong. */
static int
connected(const struct azuresb_stream *s)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		return errno;
	if (error != 0)
		return error;
	len = sizeof(peer);
	if (getpeername(s->fd, (struct sockaddr *)&peer, &len) == 0)
		return 0;
	return core_now_ms() - s->began_ms < ADDRESS_MS ? EINPROGRESS : ETIMEDOUT;
}

/* There is TCP. */
static void
begin_tls(struct azuresb_stream *s)
{
	char why[AZURESB_TLS_WHY];

	want_write(s, false);
	s->state = OPEN;
	if (!s->with_tls)
		return;
	s->state = HANDSHAKING;
	s->tls = azuresb_tls_open(s->fd, s->host, why);
	if (s->tls == NULL)
		fail(s, "", why);
}

/* Tries one address after the other, until one answers or none is left. */
static void
try_addresses(struct azuresb_stream *s)
{
	while (s->state == CONNECTING) {
		int error = s->fd == -1 ? begin(s) : 0;

		if (error == 0)
			error = connected(s);
		if (error == EINPROGRESS)
			return;
		if (error == 0) {
			begin_tls(s);
			return;
		}
		drop_socket(s);
		if (s->next == NULL)
			fail(s, "cannot connect to ", strerror(error));
	}
}

static void
handshake(struct azuresb_stream *s)
{
	char why[AZURESB_TLS_WHY];
	int result = azuresb_tls_handshake(s->tls, why);

	if (result == AZURESB_TLS_FAILED)
		fail(s, "", why);
	else if (result == 0)
		s->state = OPEN;
	if (s->state != FAILED)
		want_write(s, result == AZURESB_TLS_WRITE);
}

enum azuresb_stream_state
azuresb_stream_connect(struct azuresb_stream *s)
{
	if (s->state == RESOLVING)
		take_addresses(s);
	if (s->state == CONNECTING)
		try_addresses(s);
	if (s->state == HANDSHAKING)
		handshake(s);
	if (s->state == FAILED)
		return AZURESB_STREAM_FAILED;
	return s->state == OPEN ? AZURESB_STREAM_READY : AZURESB_STREAM_WAIT;
}

int
azuresb_stream_fd(const struct azuresb_stream *s)
{
	return s->epoll;
}

/* The same for a socket without TLS: what recv and send return, as azuresb_tls_* do. */
static ssize_t
plain_result(ssize_t n, int wait, char why[AZURESB_TLS_WHY])
{
	if (n >= 0)
		return n;
	if (errno == EAGAIN || errno == EINTR)
		return wait;
	snprintf(why, AZURESB_TLS_WHY, "%s", strerror(errno));
	return AZURESB_TLS_FAILED;
}

/* A TLS that wants to write before it can read, or the reverse, is rare (a renewed key): then
 * both are waited for. */
static ssize_t
finish(struct azuresb_stream *s, ssize_t n, const char *why)
{
	if (n > 0)
		return n;
	if (n == AZURESB_TLS_WRITE)
		want_write(s, true);
	if (n == AZURESB_TLS_WRITE || n == AZURESB_TLS_READ)
		return 0;
	fail(s, "", why);
	return -1;
}

ssize_t
azuresb_stream_read(struct azuresb_stream *s, char *to, size_t size)
{
	char why[AZURESB_TLS_WHY] = "the connection was closed";
	ssize_t n;

	if (s->tls != NULL)
		n = azuresb_tls_read(s->tls, to, size, why);
	else
		n = plain_result(recv(s->fd, to, size, 0), AZURESB_TLS_READ, why);
	return finish(s, n, why);
}

ssize_t
azuresb_stream_write(struct azuresb_stream *s, const char *from, size_t len)
{
	char why[AZURESB_TLS_WHY] = "the connection was closed";
	ssize_t n;

	if (s->tls != NULL)
		n = azuresb_tls_write(s->tls, from, len, why);
	else
		n = plain_result(send(s->fd, from, len, MSG_NOSIGNAL), AZURESB_TLS_WRITE, why);
	if (n > 0)
		want_write(s, false);
	return finish(s, n, why);
}

const char *
azuresb_stream_why(const struct azuresb_stream *s)
{
	return s->why;
}

const char *
azuresb_stream_doing(const struct azuresb_stream *s)
{
	switch (s->state) {
	case RESOLVING:
		return "looking up the host";
	case CONNECTING:
		return "connecting";
	default:
		return "the TLS handshake";
	}
}
