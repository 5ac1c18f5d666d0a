/* SPDX-License-Identifier: Apache-2.0 */
/* What a broker and a publisher say to each other on one connection: the opening, step by step,
 * then confirms and returned messages on one channel. Bytes in, bytes out; it knows no socket.
 * Sources: the methods in https://www.rabbitmq.com/amqp-0-9-1-reference; RabbitMQ's own in
 * /docs/confirms, /docs/connection-blocked, /docs/heartbeats. */
#ifndef RABBIT_TALK_H
#define RABBIT_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "rabbit_url.h"

struct rabbit_talk;

/* What the broker says about messages; called within rabbit_talk_hear. */
struct rabbit_hears {
	void *arg;
	void (*confirmed)(void *arg, uint64_t tag, bool multiple, bool taken);
	/* The broker gives back the message of this id, and says why; its confirm follows.
	 * false: there is no such message, which ends the talk. */
	bool (*returned)(void *arg, const void *id, size_t len, const char *reply);
};

/* All is borrowed until close. out: where our words are appended. NULL with errno ENOMEM. */
struct rabbit_talk *rabbit_talk_open(const struct rabbit_server *server, const char *exchange,
    const struct rabbit_hears *hears, struct buf *out);
/* Takes NULL. */
void rabbit_talk_close(struct rabbit_talk *t);

/* The first word. 0, or -1: the talk has ended. */
int rabbit_talk_begin(struct rabbit_talk *t);
/* What the broker has sent; it may end in the middle of a frame. As rabbit_talk_begin. */
int rabbit_talk_hear(struct rabbit_talk *t, void *bytes, size_t n);

/* Ends it, for this reason, unless it has ended. -1 */
int rabbit_talk_end(struct rabbit_talk *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool rabbit_talk_ended(const struct rabbit_talk *t);

/* Takes leave of the broker, for this reason: it ends when the broker has answered, and no
 * message is heard of any more. A broker complains in its log of who just goes. */
void rabbit_talk_part(struct rabbit_talk *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool rabbit_talk_parting(const struct rabbit_talk *t);

/* Once ended: where and what went wrong, for people. */
const char *rabbit_talk_why(const struct rabbit_talk *t);
/* It ended as a message was too large: the bytes that the broker takes. 0: it was not that. */
size_t rabbit_talk_limit(const struct rabbit_talk *t);

/* Is the opening done? Until then: what is being done, for people. */
bool rabbit_talk_ready(const struct rabbit_talk *t);
const char *rabbit_talk_doing(const struct rabbit_talk *t);

/* Agreed upon, when ready: 0, no heartbeat. */
int rabbit_talk_heartbeat_ms(const struct rabbit_talk *t);
size_t rabbit_talk_frame_max(const struct rabbit_talk *t);

/* The broker reads no messages now, for the reason that it gives; NULL: it does. */
const char *rabbit_talk_blocked(const struct rabbit_talk *t);

/* The limit that the reply text to a message that was too large tells. 0: it tells none. */
size_t rabbit_talk_read_limit(const char *text);

#endif
