/* SPDX-License-Identifier: Apache-2.0 */
/* Messages by their ordering key: each key is a lane, and a request takes from the front of one.
 *
 * Pub/Sub keeps the order in which it receives messages with one key, so requests with the same
 * key must not overlap; and it refuses one that has several keys ("In a single publish request,
 * all messages must have no ordering key or they must all have the same ordering key"). A
 * request is accepted as a whole or not at all. So: one request a lane at a time, with as many
 * messages as have gathered, and many lanes at once. Source:
 * https://cloud.google.com/pubsub/docs/ordering */
#ifndef GCP_LANES_H
#define GCP_LANES_H

#include <stdbool.h>

#include "gcp_wire.h"

struct lane;
struct lanes;

/* max: messages at once. NULL: out of memory. */
struct lanes *lanes_open(size_t max);
/* Takes NULL. */
void lanes_close(struct lanes *lanes);

/* Behind all others of its key. m is borrowed until it is dropped. size: what it adds to a
 * request. */
void lanes_add(struct lanes *lanes, struct message *m, size_t size);

/* Is there a lane of which nothing is out? */
bool lanes_ready(const struct lanes *lanes);

/* The lane that has waited longest, of which there must be one: its first messages, of max_size
 * together (the first one whatever its size), are out now; lane_out says how many. */
struct lane *lanes_take(
    struct lanes *lanes, size_t max_size, const struct message *out[GCP_MESSAGES_MAX]);
size_t lane_out(const struct lane *lane);

/* What is out has come back, and is to go out again: when the other lanes have had their turn,
 * or at once, but half as many at a time, since one of them was refused (of several). */
void lanes_back(struct lanes *lanes, struct lane *lane);
void lanes_halve(struct lanes *lanes, struct lane *lane);

/* The first one that is out is dropped: returned. NULL: none is out any more; the lane is ready
 * for more, or gone with its last message. */
struct message *lanes_drop(struct lanes *lanes, struct lane *lane);
/* What was refused has been found: as many as may be at a time, again. */
void lane_found(struct lane *lane);
/* All that waits in the lane is out too: to be dropped. */
void lane_recall(struct lane *lane);

#endif
