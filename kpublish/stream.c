/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "resolve.h"
#include "tls.h"

enum {
	OUT_MAX =
	    256 * 1024 * 1024, /* one message with its frames; what sends keeps far below */
	OUT_KEEP = 1024 * 1024,
	TLS_PIECE = 16384, /* of a record */
	KEEPALIVE_S = 30,
};

enum phase {
	RESOLVING,
	REACHING,
	SHAKING_HANDS, /* by TLS */
	CONNECTED,
};

struct stream {
	const struct peer *peer;
	enum phase phase;
	int epoll_fd;
	struct resolve *resolve;
	struct addrinfo *addresses;
	const struct addrinfo *address; /* the one that is tried */
	unsigned share_ms;              /* of the time, for each */
	int fd;
	SSL *ssl; /* NULL: plain TCP */
	bool waits_to_write;
	struct buf out;
	size_t written; /* of out: from its front */
	char why[TLS_WHY];
};

static int
fail(struct stream *s, const char *why)
{
	snprintf(s->why, sizeof(s->why), "%s", why);
	return -1;
}

static void
close_socket(struct stream *s)
{
	SSL_free(s->ssl);
	s->ssl = NULL;
	if (s->fd != -1)
		close(s->fd); /* and so out of the epoll set */
	s->fd = -1;
}

struct stream *
stream_open(const struct peer *peer)
{
	struct stream *s = calloc(1, sizeof(*s));
	struct epoll_event event = {.events = EPOLLIN};

	if (s == NULL)
		return NULL;
	s->peer = peer;
	s->fd = -1;
	buf_init(&s->out, OUT_MAX);
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	s->resolve = resolve_open(peer->host, peer->port);
	if (s->epoll_fd == -1 || s->resolve == NULL ||
	    epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, resolve_fd(s->resolve), &event) == -1) {
		int error = errno;

		stream_close(s);
		errno = error;
		return NULL;
	}
	return s;
}

void
stream_close(struct stream *s)
{
	if (s == NULL)
		return;
	close_socket(s);
	resolve_close(s->resolve);
	if (s->addresses != NULL)
		freeaddrinfo(s->addresses);
	if (s->epoll_fd != -1)
		close(s->epoll_fd);
	buf_free(&s->out);
	free(s);
}

int
stream_fd(const struct stream *s)
{
	return s->epoll_fd;
}

static void
wait_to_write(struct stream *s, bool to_write)
{
	struct epoll_event event = {.events = EPOLLIN | (to_write ? EPOLLOUT : 0)};

	if (to_write == s->waits_to_write)
		return;
	s->waits_to_write = to_write;
	(void)epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, s->fd, &event);
}

/* An address that swallows what it is sent is not to take the time of the others. Once
 * connected there is no such limit: a server may leave off reading for long. */
static void
limit_silence(int fd, unsigned ms)
{
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
}

/* Without heartbeats keepalive alone finds out that a server is gone. */
static void
set_options(int fd)
{
	const int on = 1;
	const int interval_s = KEEPALIVE_S;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &interval_s, sizeof(interval_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
}

/* Begins to connect to one address, or goes on with it. 1, 0 as stream_connect; -1 with
 * errno. */
static int
reach(const struct stream *s)
{
	if (connect(s->fd, s->address->ai_addr, s->address->ai_addrlen) == 0 ||
	    errno == EISCONN)
		return 1;
	return errno == EINPROGRESS || errno == EALREADY || errno == EINTR ? 0 : -1;
}

/* A socket for the address at hand. 0 or -1 with errno. */
static int
make_socket(struct stream *s)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT};

	s->fd = socket(s->address->ai_family,
	    s->address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, s->address->ai_protocol);
	if (s->fd == -1)
		return -1;
	set_options(s->fd);
	limit_silence(s->fd, s->share_ms);
	s->waits_to_write = true;
	return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->fd, &event);
}

static unsigned
count(const struct addrinfo *addresses)
{
	unsigned n = 0;

	for (; addresses != NULL; addresses = addresses->ai_next)
		n++;
	return n;
}

static int
take_addresses(struct stream *s)
{
	struct pollfd answer = {.fd = resolve_fd(s->resolve), .events = POLLIN};
	int error;

	if (poll(&answer, 1, 0) != 1)
		return 0;
	error = resolve_take(s->resolve, &s->addresses);
	resolve_close(s->resolve);
	s->resolve = NULL;
	if (error != 0 || s->addresses == NULL)
		return fail(s, gai_strerror(error != 0 ? error : EAI_NONAME));
	s->address = s->addresses;
	s->share_ms = (unsigned)s->peer->timeout_ms / count(s->addresses);
	s->phase = REACHING;
	return 1;
}

/* One address after the other, as each turns out to be of no use. */
static int
reach_any(struct stream *s)
{
	int result = -1;

	while (result == -1 && s->address != NULL) {
		if (s->fd != -1 || make_socket(s) == 0)
			result = reach(s);
		if (result == -1) {
			fail(s, strerror(errno));
			close_socket(s);
			s->address = s->address->ai_next;
		}
	}
	if (result != 1)
		return result;
	wait_to_write(s, false);
	limit_silence(s->fd, 0);
	if (!s->peer->tls) {
		s->phase = CONNECTED;
		return 1;
	}
	s->phase = SHAKING_HANDS;
	s->ssl = tls_open(s->peer, s->fd, s->why);
	return s->ssl != NULL ? 1 : -1;
}

/* What a call of OpenSSL that has not done it comes to: 0, it waits; -1. */
static int
tls_waits(struct stream *s, int result)
{
	int error = SSL_get_error(s->ssl, result);

	switch (error) {
	case SSL_ERROR_WANT_READ:
		return 0;
	case SSL_ERROR_WANT_WRITE:
		wait_to_write(s, true);
		return 0;
	default:
		tls_explain(s->peer, s->ssl, error, s->why);
		return -1;
	}
}

static int
shake_hands(struct stream *s)
{
	int result;

	wait_to_write(s, false);
	ERR_clear_error();
	errno = 0;
	result = SSL_do_handshake(s->ssl);
	if (result != 1)
		return tls_waits(s, result);
	s->phase = CONNECTED;
	return 1;
}

int
stream_connect(struct stream *s)
{
	int result = 1;

	while (result == 1 && s->phase != CONNECTED) {
		switch (s->phase) {
		case RESOLVING:
			result = take_addresses(s);
			break;
		case REACHING:
			result = reach_any(s);
			break;
		default:
			result = shake_hands(s);
			break;
		}
	}
	return result;
}

static ssize_t
tls_read(struct stream *s, void *to, size_t size)
{
	int n;

	ERR_clear_error();
	errno = 0;
	n = SSL_read(s->ssl, to, size < INT_MAX ? (int)size : INT_MAX);
	return n > 0 ? n : tls_waits(s, n);
}

ssize_t
stream_read(struct stream *s, void *to, size_t size)
{
	ssize_t n;

	if (s->ssl != NULL)
		return tls_read(s, to, size);
	n = recv(s->fd, to, size, 0);
	if (n > 0)
		return n;
	if (n == 0)
		return fail(s, "the server closed the connection");
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	return fail(s, strerror(errno));
}

/* As stream_read. */
static ssize_t
write_some(struct stream *s, const char *from, size_t n)
{
	ssize_t result;

	if (s->ssl != NULL) {
		int done;

		ERR_clear_error();
		errno = 0;
		done = SSL_write(s->ssl, from, n < TLS_PIECE ? (int)n : TLS_PIECE);
		return done > 0 ? done : tls_waits(s, done);
	}
	result = send(s->fd, from, n, MSG_NOSIGNAL);
	if (result >= 0)
		return result;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	return fail(s, strerror(errno));
}

ssize_t
stream_write(struct stream *s, const void *from, size_t size)
{
	ssize_t n = write_some(s, from, size);

	if (n >= 0)
		wait_to_write(s, n == 0);
	return n;
}

int
stream_flush(struct stream *s)
{
	while (stream_pending(s) > 0) {
		ssize_t n = write_some(s, s->out.data + s->written, stream_pending(s));

		if (n == -1)
			return -1;
		if (n == 0) {
			wait_to_write(s, true);
			/* Seldom moved: what is left is less than what went. */
			if (s->written > s->out.len / 2) {
				buf_consume(&s->out, s->written);
				s->written = 0;
			}
			return 0;
		}
		s->written += (size_t)n;
	}
	wait_to_write(s, false);
	s->out.len = s->written = 0;
	buf_shrink(&s->out, OUT_KEEP);
	return 0;
}

struct buf *
stream_out(struct stream *s)
{
	return &s->out;
}

size_t
stream_pending(const struct stream *s)
{
	return s->out.len - s->written;
}

const char *
stream_why(const struct stream *s)
{
	return s->why;
}

const char *
stream_doing(const struct stream *s)
{
	switch (s->phase) {
	case RESOLVING:
		return "looking up the host";
	case REACHING:
		return "connecting";
	default:
		return "the TLS handshake";
	}
}
