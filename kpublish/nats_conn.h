/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to a NATS server, by cnats. All of these block while the server is slow. */
#ifndef NATS_CONN_H
#define NATS_CONN_H

#include <nats/nats.h>

#include "mailbox.h"
#include "nats_options.h"

enum { NATS_SENT_MAX = 64 };

struct nats_conn {
	struct nats_settings settings;
	struct nats_servers servers;
	natsConnection *nc; /* NULL: none */
	natsSubscription *answers;
	natsInbox *inbox; /* answers come to inbox.TAG */
	struct mailbox *box;
	void (*closed)(void *arg); /* from a thread of cnats */
	void *closed_arg;
	/* Copies of what was sent. cnats frees a message in a thread of its own, which is woken for
	 * each and then is in the way of who makes the next: they are given to it many at a time. */
	natsMsg *sent[NATS_SENT_MAX];
	size_t n_sent;
	size_t sent_bytes;
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
