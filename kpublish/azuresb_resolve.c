/* SPDX-License-Identifier: Apache-2.0 */
#include "azuresb_resolve.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Two have it, the thread and who asked; the last to let go frees it. */
struct azuresb_resolve {
	char *host;
	char *port;
	int fd;

	pthread_mutex_t lock; /* for what follows */
	int holders;
	bool done;
	int error;
	int saved_errno;
	struct addrinfo *list; /* NULL: none, or taken */
};

static void
let_go(struct azuresb_resolve *r)
{
	bool last;

	pthread_mutex_lock(&r->lock);
	last = --r->holders == 0;
	pthread_mutex_unlock(&r->lock);
	if (!last)
		return;
	if (r->list != NULL)
		freeaddrinfo(r->list);
	if (r->fd != -1)
		close(r->fd);
	pthread_mutex_destroy(&r->lock);
	free(r->host);
	free(r->port);
	free(r);
}

static void *
look_up(void *arg)
{
	static const uint64_t one = 1;
	static const struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICSERV,
	};
	struct azuresb_resolve *r = arg;
	struct addrinfo *list = NULL;
	int error = getaddrinfo(r->host, r->port, &hints, &list);
	int saved_errno = errno;

	pthread_mutex_lock(&r->lock);
	r->done = true;
	r->error = error;
	r->saved_errno = saved_errno;
	r->list = error == 0 ? list : NULL;
	pthread_mutex_unlock(&r->lock);
	(void)!write(r->fd, &one, sizeof(one));
	let_go(r);
	return NULL;
}

/* 0, or an error number. */
static int
start_thread(struct azuresb_resolve *r)
{
	pthread_attr_t attr;
	pthread_t thread;
	int error;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	r->holders = 2;
	error = pthread_create(&thread, &attr, look_up, r);
	pthread_attr_destroy(&attr);
	if (error != 0)
		r->holders = 1;
	return error;
}

struct azuresb_resolve *
azuresb_resolve_start(const char *host, const char *port)
{
	struct azuresb_resolve *r = calloc(1, sizeof(*r));
	int error = ENOMEM;

	if (r == NULL)
		return NULL;
	pthread_mutex_init(&r->lock, NULL);
	r->holders = 1;
	r->host = strdup(host);
	r->port = strdup(port);
	r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->fd == -1)
		error = errno;
	if (r->fd != -1 && r->host != NULL && r->port != NULL)
		error = start_thread(r);
	if (error != 0) {
		let_go(r);
		errno = error;
		return NULL;
	}
	return r;
}

void
azuresb_resolve_free(struct azuresb_resolve *r)
{
	if (r != NULL)
		let_go(r);
}

int
azuresb_resolve_fd(const struct azuresb_resolve *r)
{
	return r->fd;
}

bool
azuresb_resolve_take(struct azuresb_resolve *r, int *error, struct addrinfo **list)
{
	bool done;

	pthread_mutex_lock(&r->lock);
	done = r->done;
	*error = r->error;
	*list = r->list;
	r->list = NULL;
	errno = r->saved_errno;
	pthread_mutex_unlock(&r->lock);
	return done;
}
