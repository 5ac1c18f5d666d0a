/* SPDX-License-Identifier: Apache-2.0 */
#include "mailbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct list {
	struct mail *mail;
	size_t n;
	size_t size;
};

struct mailbox {
	pthread_mutex_t lock;
	int fd;
	struct list incoming; /* under the lock */
	struct list taken;    /* the reader's */
};

struct mailbox *
mailbox_open(void)
{
	struct mailbox *box = calloc(1, sizeof(*box));

	if (box == NULL)
		return NULL;
	pthread_mutex_init(&box->lock, NULL);
	box->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (box->fd == -1) {
		mailbox_close(box);
		return NULL;
	}
	return box;
}

void
mailbox_close(struct mailbox *box)
{
	if (box == NULL)
		return;
	if (box->fd != -1)
		close(box->fd);
	pthread_mutex_destroy(&box->lock);
	free(box->incoming.mail);
	free(box->taken.mail);
	free(box);
}

int
mailbox_fd(const struct mailbox *box)
{
	return box->fd;
}

/* Room for one more. */
static struct mail *
list_add(struct list *list)
{
	size_t size = list->size > 0 ? 2 * list->size : 64;
	struct mail *mail;

	if (list->n == list->size) {
		mail = reallocarray(list->mail, size, sizeof(*mail));
		if (mail == NULL)
			return NULL;
		list->mail = mail;
		list->size = size;
	}
	return &list->mail[list->n++];
}

void
mailbox_put(struct mailbox *box, const struct mail *mail)
{
	const uint64_t one = 1;
	struct mail *place;
	bool first;

	pthread_mutex_lock(&box->lock);
	first = box->incoming.n == 0;
	place = list_add(&box->incoming);
	if (place != NULL)
		*place = *mail;
	pthread_mutex_unlock(&box->lock);
	if (first) /* the reader takes all at once: one call does for many */
		(void)!write(box->fd, &one, sizeof(one));
}

size_t
mailbox_take(struct mailbox *box, const struct mail **mail)
{
	struct list list = box->taken;
	uint64_t count;

	(void)!read(box->fd, &count, sizeof(count));
	list.n = 0;
	pthread_mutex_lock(&box->lock);
	box->taken = box->incoming;
	box->incoming = list;
	pthread_mutex_unlock(&box->lock);
	*mail = box->taken.mail;
	return box->taken.n;
}
