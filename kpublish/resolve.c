/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct resolve {
	char *host;
	char port[8];
	int fd;

	pthread_mutex_t lock; /* for what follows */
	int holders;          /* the thread and who asked: the last one frees */
	int error;
	struct addrinfo *addresses;
};

static void
let_go(struct resolve *r)
{
	int holders;

	pthread_mutex_lock(&r->lock);
	holders = --r->holders;
	pthread_mutex_unlock(&r->lock);
	if (holders > 0)
		return;
	if (r->addresses != NULL)
		freeaddrinfo(r->addresses);
	if (r->fd != -1)
		close(r->fd);
	pthread_mutex_destroy(&r->lock);
	free(r->host);
	free(r);
}

static void
answer(struct resolve *r, int error, struct addrinfo *addresses)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&r->lock);
	r->error = error;
	r->addresses = addresses;
	pthread_mutex_unlock(&r->lock);
	(void)!write(r->fd, &one, sizeof(one));
}

static int
look_up(const struct resolve *r, int flags, struct addrinfo **addresses)
{
	const struct addrinfo hints = {.ai_flags = flags, .ai_socktype = SOCK_STREAM};

	*addresses = NULL;
	return getaddrinfo(r->host, r->port, &hints, addresses);
}

static void *
run(void *arg)
{
	struct resolve *r = arg;
	struct addrinfo *addresses;
	int error = look_up(r, AI_ADDRCONFIG, &addresses);

	answer(r, error, addresses);
	let_go(r);
	return NULL;
}

/* 0 or an errno. */
static int
start(struct resolve *r)
{
	pthread_attr_t detached;
	pthread_t thread;
	int error;

	r->holders++;
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	error = pthread_create(&thread, &detached, run, r);
	pthread_attr_destroy(&detached);
	if (error != 0)
		r->holders--;
	return error;
}

struct resolve *
resolve_open(const char *host, uint16_t port)
{
	struct resolve *r = calloc(1, sizeof(*r));
	struct addrinfo *addresses;
	int error = 0;

	if (r == NULL)
		return NULL;
	pthread_mutex_init(&r->lock, NULL);
	r->holders = 1;
	snprintf(r->port, sizeof(r->port), "%u", port);
	r->host = strdup(host);
	r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->host == NULL || r->fd == -1)
		error = r->host == NULL ? ENOMEM : errno;
	else if (look_up(r, AI_NUMERICHOST, &addresses) == 0)
		answer(r, 0, addresses); /* an address already: nobody need be asked */
	else
		error = start(r);
	if (error != 0) {
		let_go(r);
		errno = error;
		return NULL;
	}
	return r;
}

void
resolve_close(struct resolve *r)
{
	if (r != NULL)
		let_go(r);
}

int
resolve_fd(const struct resolve *r)
{
	return r->fd;
}

int
resolve_take(struct resolve *r, struct addrinfo **addresses)
{
	int error;

	pthread_mutex_lock(&r->lock);
	error = r->error;
	*addresses = r->addresses;
	r->addresses = NULL;
	pthread_mutex_unlock(&r->lock);
	return error;
}
