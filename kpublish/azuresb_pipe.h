/* SPDX-License-Identifier: Apache-2.0 */
/* proton's connection driver on a stream of our own: nothing blocks, there is no thread. */
#ifndef AZURESB_PIPE_H
#define AZURESB_PIPE_H

#include <proton/connection.h>
#include <proton/event.h>
#include <proton/transport.h>
#include <stdbool.h>

#include "peer.h"

struct azuresb_pipe;

enum azuresb_pipe_state {
	AZURESB_PIPE_WAIT,   /* no stream yet */
	AZURESB_PIPE_OPEN,   /* AMQP flows */
	AZURESB_PIPE_FAILED, /* azuresb_pipe_why */
};

/* Begins to connect. event is called from within azuresb_pipe_work for each event of proton's,
 * until azuresb_pipe_stop; the first is PN_CONNECTION_INIT, the time to set up the connection and
 * its transport. peer is borrowed. NULL with errno. */
struct azuresb_pipe *azuresb_pipe_open(
    const struct peer *peer, void (*event)(void *arg, pn_event_t *event), void *arg);
/* Takes NULL. */
void azuresb_pipe_close(struct azuresb_pipe *p);

/* For poll, as in struct bus. */
int azuresb_pipe_fd(const struct azuresb_pipe *p);

/* Reads, writes, hands out events. */
enum azuresb_pipe_state azuresb_pipe_work(struct azuresb_pipe *p);
/* Writes what the socket takes. */
void azuresb_pipe_flush(struct azuresb_pipe *p);
/* No more events are handed out. */
void azuresb_pipe_stop(struct azuresb_pipe *p);

/* NULL while it waits. */
pn_connection_t *azuresb_pipe_connection(const struct azuresb_pipe *p);
pn_transport_t *azuresb_pipe_transport(const struct azuresb_pipe *p);

/* What went wrong. */
const char *azuresb_pipe_why(const struct azuresb_pipe *p);
/* For people: what it waits for; NULL: nothing, it is open. */
const char *azuresb_pipe_doing(const struct azuresb_pipe *p);

#endif
