/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to a NATS server, in a thread of its own: cnats blocks when it connects, and
 * when a server reads slowly. What there is to tell comes as mail.
 *
 * cnats' own reconnecting is off: it keeps a buffer of what was published meanwhile, about
 * which nothing can be known. Here a connection that is lost is gone, with all that was out on
 * it; each has a number, its generation. */
#ifndef NATS_LINK_H
#define NATS_LINK_H

#include "mailbox.h"

/* Kinds of mail. */
enum {
	NATS_ANSWER,    /* tag: the message's; verdict; text: why */
	NATS_FLUSHED,   /* all up to tag has reached the server (core) */
	NATS_JETSTREAM, /* connected, a stream covers the subject. tag: the generation; number:
			   the largest message that the server takes */
	NATS_CORE,      /* the same where no stream covers it */
	NATS_LOST, /* tag: the generation that ended: nothing sent on it is touched any more */
	NATS_TROUBLE, /* text: what is wrong */
};

/* Where a server is asked which streams take a subject, and what people may do about it. */
#define NATS_QUESTION      "$JS.API.STREAM.NAMES"
#define NATS_QUESTION_HINT " (?jetstream=yes or no spares the question)"

/* Is the subject a stream's? */
enum nats_promise {
	NATS_ASK, /* the server is asked */
	NATS_YES, /* it is: the account need not be allowed to ask */
	NATS_NO,  /* core NATS will do */
};

struct nats_link;

/* servers: NATS_SERVER_URL, commas between several. Goes on connecting until it is
 * closed. NULL with a message, which begins with shown, and *exit_code. */
struct nats_link *nats_link_open(const char *servers, const char *subject,
    enum nats_promise promise, const char *shown, const struct log *log, int *exit_code);
/* Takes NULL. */
void nats_link_close(struct nats_link *link);

struct mailbox *nats_link_mailbox(const struct nats_link *link);

/* Takes the message, to be sent on the connection of this generation; if that has ended, NATS_LOST
 * says so. m is borrowed until the mail about tag, or about the end of the generation, has come.
 * Does not block. -1 with errno ENOMEM. */
int nats_link_send(
    struct nats_link *link, uint64_t generation, uint64_t tag, const struct message *m);

/* Asks for NATS_FLUSHED about all up to tag. As nats_link_send. */
int nats_link_flush(struct nats_link *link, uint64_t generation, uint64_t tag);

/* What was taken goes to the thread, all at once: to wake it for each would cost more than to
 * send it. -1 with errno ENOMEM: nothing was handed over. */
int nats_link_hand_over(struct nats_link *link);

#endif
