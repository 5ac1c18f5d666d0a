/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to a broker, from the first try to reach it until it ends, for whatever
 * reason: the talk (rabbit_talk.h) on a stream (stream.h), with its heartbeats and
 * deadlines. Nothing here blocks. */
#ifndef RABBIT_SESSION_H
#define RABBIT_SESSION_H

#include "message.h"
#include "rabbit_talk.h"

struct rabbit_session;

enum rabbit_state {
	RABBIT_OPENING, /* connecting, logging in, asking for the exchange; or taking leave */
	RABBIT_READY,
	RABBIT_ENDED, /* of no more use: see rabbit_talk_why */
};

/* Begins to connect. All is borrowed until close. NULL with errno. */
struct rabbit_session *rabbit_session_open(
    const struct rabbit_server *server, const char *exchange, const struct rabbit_hears *hears);
/* Takes leave of the broker, unless the session has ended: within a second, which is waited for.
 * No message is heard of any more. Takes NULL. */
void rabbit_session_close(struct rabbit_session *s);

/* Readable when work has something to do; work is to be called after so many milliseconds even
 * so (-1: no need). */
int rabbit_session_fd(const struct rabbit_session *s);
int rabbit_session_timeout_ms(const struct rabbit_session *s);

/* Goes on with everything: connects, reads, writes, keeps the heartbeat. */
enum rabbit_state rabbit_session_work(struct rabbit_session *s);

/* When ready: gathers the message for flush. 0; or -1 with errno: EAGAIN, the broker does not
 * read so fast; EMSGSIZE, its headers do not fit in a frame; ENOMEM. */
int rabbit_session_publish(struct rabbit_session *s, const struct message *m);
/* Sends what has been gathered. What goes wrong, work will tell. */
void rabbit_session_flush(struct rabbit_session *s);

/* What is known of the broker. */
const struct rabbit_talk *rabbit_session_talk(const struct rabbit_session *s);

#endif
