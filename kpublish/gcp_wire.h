/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to publish and the answers to them, in the JSON of Pub/Sub's REST API:
 * https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/publish */
#ifndef GCP_WIRE_H
#define GCP_WIRE_H

#include "buf.h"
#include "message.h"

/* https://cloud.google.com/pubsub/quotas#resource_limits. What is said of REST's 10 MB is
 * "Request payload size exceeds the limit: 10485760 bytes.", and it is about the request as it
 * is sent, base64 and all. */
enum {
	GCP_REQUEST_MAX = 10 * 1024 * 1024,
	GCP_MESSAGES_MAX = 1000,
	GCP_KEY_MAX = 1024,
	GCP_VALUE_MAX = 1024, /* of an attribute; a longer one is left out */
	GCP_WHY = 400,
};

/* The bytes that a message makes a request larger by, and those of a request with none. */
size_t gcp_wire_size(const struct message *m);
size_t gcp_wire_empty(void);

/* A request: begin, add each, end. 0, or -1 as buf_add. */
int gcp_wire_begin(struct buf *body);
int gcp_wire_add(struct buf *body, const struct message *m);
int gcp_wire_end(struct buf *body);

enum gcp_outcome {
	GCP_PUBLISHED,   /* every message */
	GCP_LATER,       /* nothing is wrong with the request: the same again may do */
	GCP_TOKEN,       /* the same; the token is not good any more */
	GCP_NOT_ALLOWED, /* the same; until somebody grants it, or makes the topic */
	GCP_REFUSED,     /* the request will never do: for one of its messages */
	GCP_TOO_LARGE,   /* the same, for its size */
};

/* What became of n messages. why: what is wrong, in GCP_WHY bytes; "" when published. */
enum gcp_outcome gcp_wire_outcome(
    long status, const char *body, size_t len, size_t n, char why[GCP_WHY]);

#endif
