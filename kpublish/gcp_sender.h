/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to one topic, in requests that keep the order of each key through every retry.
 *
 * A request that fails goes out again from here; the core gets the verdict about each message,
 * and VERDICT_RETRY only where it must begin again (bus.h, ordered). */
#ifndef GCP_SENDER_H
#define GCP_SENDER_H

#include "bus.h"
#include "gcp_token.h"
#include "requests.h"

struct gcp_sender;

struct gcp_target {
	const char *base;    /* https://pubsub.googleapis.com */
	const char *host;    /* of it, for messages */
	const char *topic;   /* projects/P/topics/T */
	size_t max_requests; /* under way at once */
};

/* token NULL: none is needed (an emulator). All is borrowed until close. NULL: out of memory,
 * with a message. */
struct gcp_sender *gcp_sender_open(const struct gcp_target *target, struct requests *requests,
    struct gcp_token *token, const struct bus_owner *owner);
/* Takes NULL. */
void gcp_sender_close(struct gcp_sender *sender);

/* Takes the message: its verdict comes, or has come. */
void gcp_sender_add(struct gcp_sender *sender, struct message *m);

/* Nothing was ever answered, and there is nothing to send. */
bool gcp_sender_unheard(const struct gcp_sender *sender);

/* Starts what may be started; after messages were added, requests_run and gcp_token_work. */
void gcp_sender_work(struct gcp_sender *sender);
/* Milliseconds until it may be that something may; -1: requests_run is to be waited for. */
int gcp_sender_timeout_ms(const struct gcp_sender *sender);

#endif
