/* SPDX-License-Identifier: Apache-2.0 */
/* The messages that a channel has published and the broker has not confirmed, by their delivery
 * tags, which count from 1 on each channel. Source: https://www.rabbitmq.com/docs/confirms */
#ifndef RABBIT_UNCONFIRMED_H
#define RABBIT_UNCONFIRMED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"

struct rabbit_unconfirmed;

/* For so many tags from the oldest that is unconfirmed to the newest. NULL with errno ENOMEM. */
struct rabbit_unconfirmed *rabbit_unconfirmed_open(size_t tags);
/* Takes NULL. */
void rabbit_unconfirmed_close(struct rabbit_unconfirmed *u);

/* The oldest waits for so long that none can be added. */
bool rabbit_unconfirmed_full(const struct rabbit_unconfirmed *u);

/* m gets the next tag. It must not be full. */
void rabbit_unconfirmed_add(struct rabbit_unconfirmed *u, struct message *m);

/* The broker has returned a message with this id: the first one behind that which it returned
 * last, as it handles them in order. false: there is none. */
bool rabbit_unconfirmed_return(struct rabbit_unconfirmed *u, const void *id, size_t len);

/* Takes out the message with this tag; with `multiple`, the oldest with this or an earlier one,
 * to be called until NULL. *returned: it went nowhere. NULL: no such message is there. */
struct message *rabbit_unconfirmed_take(
    struct rabbit_unconfirmed *u, uint64_t tag, bool multiple, bool *returned);

/* Takes out the oldest; when there is none, NULL, and tags count from 1 again. */
struct message *rabbit_unconfirmed_drop(struct rabbit_unconfirmed *u);

#endif
