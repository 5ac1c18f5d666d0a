/* SPDX-License-Identifier: Apache-2.0 */
/* What the words of an AMQP server mean for a message and for the link. Source:
 * https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide and
 * AMQP 1.0, 2.8.15 to 2.8.18 and 3.4. */
#ifndef AZURESB_OUTCOME_H
#define AZURESB_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"

struct azuresb_outcome {
	enum verdict verdict;
	bool busy;  /* others are likely to fare no better now: wait before anything is sent */
	bool leave; /* the connection is of no use any more */
};

/* state: PN_ACCEPTED, PN_REJECTED, PN_RELEASED or PN_MODIFIED; condition: of a rejection, NULL if
 * it has none. */
struct azuresb_outcome azuresb_outcome_of(uint64_t state, const char *condition);

/* The same of a link, session or connection that the server has closed because a message was too
 * large for it. */
bool azuresb_outcome_is_size(const char *condition);

/* Has the server closed what nobody used for a while, as Service Bus does? */
bool azuresb_outcome_is_idle(const char *condition, const char *description);

#endif
