/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to a NATS server, by cnats. All of these block while the server is slow. */
#ifndef NATS_CONN_H
#define NATS_CONN_H

#include <nats/nats.h>
#include <pthread.h>
#include <stdbool.h>

#include "mailbox.h"
#include "nats_options.h"

/* cnats frees a message in a thread of its own, which is woken for each and then is in the way of
 * who makes the next: they are given to it many at a time. */
enum { NATS_USED_MAX = 64 };
struct nats_used {
	natsMsg *msg[NATS_USED_MAX];
	size_t n;
	size_t bytes;
};

struct nats_conn {
	struct nats_settings settings;
	struct nats_servers servers;
	natsConnection *nc; /* NULL: none */
	natsSubscription *answers;
	natsInbox *inbox; /* answers come to inbox.TAG */
	struct mailbox *box;
	void (*closed)(void *arg); /* from a thread of cnats */
	void *closed_arg;
	struct nats_used sent; /* copies of what was sent */

	pthread_mutex_t lock; /* for what follows, which threads of cnats use */
	struct nats_used answered;
	bool listening; /* else answers are late ones, and nobody would free what is kept */
};

/* servers: NATS_SERVER_URL. box, closed and closed_arg are set by the caller before. -1 with
 * what is wrong with the variables in why; nats_conn_free then too. */
int nats_conn_init(struct nats_conn *c, const char *servers, char *why, size_t why_size);
void nats_conn_free(struct nats_conn *c);

/* Connects to one of the servers, and listens for answers: they come as NATS_ANSWER, errors of
 * the connection as NATS_TROUBLE. -1: there is no connection; why tells it of each server. */
int nats_conn_connect(struct nats_conn *c, char *why, size_t why_size);
void nats_conn_drop(struct nats_conn *c);

/* tag: 0 when no answer is wanted, else which. */
natsStatus nats_conn_publish(
    struct nats_conn *c, const char *subject, const struct message *m, uint64_t tag);

#endif
