/* SPDX-License-Identifier: Apache-2.0 */
/* One connection with one link to the entity that messages are sent to, from the look-up of the
 * host to the end. What ends the link ends the connection; another one is then to be opened. By
 * proton's connection driver on our own socket: nothing blocks, there is no thread. */
#ifndef AZURESB_LINK_H
#define AZURESB_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "azuresb_config.h"
#include "message.h"

struct azuresb_link;

struct azuresb_link_options {
	const struct azuresb_config *config; /* borrowed, as are all of these */
	const char *entity;
	bool plain;  /* log in with the key by SASL PLAIN, rather than by CBS */
	int token_s; /* how long a token that is made here is good */

	/* From within azuresb_link_work: what became of a message, as azuresb_outcome_of takes
	 * it; the texts are borrowed, NULL where there is none. m is the caller's again. */
	void (*answered)(void *arg, struct message *m, uint64_t state, const char *condition,
	    const char *description);
	void *arg;
};

enum azuresb_link_state {
	AZURESB_LINK_WAIT, /* being brought up */
	AZURESB_LINK_UP,
	AZURESB_LINK_DOWN, /* azuresb_link_end, azuresb_link_why */
};

enum azuresb_link_end {
	AZURESB_END_ERROR,
	AZURESB_END_IDLE,         /* the server closes what is not used */
	AZURESB_END_SIZE,         /* a message was too large */
	AZURESB_END_NO_ANONYMOUS, /* a server that has no CBS: only PLAIN can do */
};

/* Begins. NULL with errno. */
struct azuresb_link *azuresb_link_open(const struct azuresb_link_options *options);
/* Says good-bye if the socket takes it. Messages that are out get no answer. Takes NULL. */
void azuresb_link_close(struct azuresb_link *l);

/* For poll, as in struct bus. */
int azuresb_link_fd(const struct azuresb_link *l);

/* Reads, writes and looks at the clock; the fd's being readable calls for it, and each second
 * does. */
enum azuresb_link_state azuresb_link_work(struct azuresb_link *l);

/* What is wrong, for people, without any secret. */
const char *azuresb_link_why(const struct azuresb_link *l);
enum azuresb_link_end azuresb_link_end(const struct azuresb_link *l);

/* Is there credit for a message, and little enough waiting to be written? */
bool azuresb_link_has_room(const struct azuresb_link *l);
/* Does the server give no credit? */
bool azuresb_link_is_dry(const struct azuresb_link *l);
/* What a message may have, encoded; 0: not known. */
uint64_t azuresb_link_max_size(const struct azuresb_link *l);

/* Sends the head and the body of m (copies). There must be room. m is the link's until it is
 * answered or taken back. -1 with errno ENOMEM. */
int azuresb_link_send(
    struct azuresb_link *l, const void *head, size_t head_len, struct message *m);
/* Writes what the socket takes. */
void azuresb_link_flush(struct azuresb_link *l);

/* The messages that are out, oldest first: each is given to fn and is the caller's again. */
void azuresb_link_take_back(
    struct azuresb_link *l, void (*fn)(void *arg, struct message *m), void *arg);
/* The one of them with the largest body, which stays; NULL: none is out. */
struct message *azuresb_link_largest(const struct azuresb_link *l);

/* Ends it for this reason. */
void azuresb_link_leave(struct azuresb_link *l, const char *why);

#endif
