/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to a NATS server, by cnats. All of these block while the server is slow. */
#ifndef NATS_CONN_H
#define NATS_CONN_H

#include <nats/nats.h>

#include "mailbox.h"

struct nats_conn {
	natsOptions *options;
	natsConnection *nc; /* NULL: none */
	natsSubscription *answers;
	natsInbox *inbox; /* answers come to inbox.TAG */
	struct mailbox *box;
	void (*closed)(void *arg); /* from a thread of cnats */
	void *closed_arg;
};

/* servers is cut into pieces. box, closed and closed_arg are set by the caller before. */
natsStatus nats_conn_init(struct nats_conn *c, char *servers);
void nats_conn_free(struct nats_conn *c);

/* Connects, and listens for answers: they come as NATS_ANSWER, errors of the connection as
 * NATS_TROUBLE. On failure there is no connection. */
natsStatus nats_conn_connect(struct nats_conn *c);
void nats_conn_drop(struct nats_conn *c);

/* tag: 0 when no answer is wanted, else which. */
natsStatus nats_conn_publish(
    struct nats_conn *c, const char *subject, const struct message *m, uint64_t tag);

#endif
