/* SPDX-License-Identifier: Apache-2.0 */
/* Claims-based security: the token that lets us in is a message to the node $cbs, and is answered
 * by one. Source:
 * https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide#claims-based-authorization */
#ifndef AZURESB_CBS_H
#define AZURESB_CBS_H

#include <proton/event.h>
#include <proton/session.h>

#include "azuresb_config.h"

struct azuresb_cbs;

enum azuresb_cbs_state {
	AZURESB_CBS_WAIT,
	AZURESB_CBS_GRANTED,
	AZURESB_CBS_REFUSED, /* azuresb_cbs_why */
};

/* Works by links on the session, which must outlive it; they are there while they are needed, as
 * Service Bus closes what is idle. A token made with the key of config
 * (borrowed) for the entity is good for token_s seconds, and is renewed when a quarter of that is
 * left; a signature that was made elsewhere is sent as it is. NULL with errno ENOMEM. */
struct azuresb_cbs *azuresb_cbs_open(pn_session_t *session, const struct azuresb_config *config,
    const char *entity, int token_s);
/* Leaves the links to the session. Takes NULL. */
void azuresb_cbs_close(struct azuresb_cbs *cbs);

/* Is this link one of its own? */
bool azuresb_cbs_has(const struct azuresb_cbs *cbs, pn_link_t *link);
/* Deals with an event about one of them. */
void azuresb_cbs_event(struct azuresb_cbs *cbs, pn_event_t *event);
/* Begins to put a token if one is due. To be called once a second at least. */
void azuresb_cbs_work(struct azuresb_cbs *cbs);

enum azuresb_cbs_state azuresb_cbs_state(const struct azuresb_cbs *cbs);
const char *azuresb_cbs_why(const struct azuresb_cbs *cbs);

#endif
