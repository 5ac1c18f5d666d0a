/* SPDX-License-Identifier: Apache-2.0 */
/* JetStream's answers, which are JSON, and what it asks of a subject.
 * Source: https://docs.nats.io/reference/reference-protocols/nats_api_reference */
#ifndef NATS_WIRE_H
#define NATS_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "bus.h"

/* May it stand in a PUB? Tokens parted by dots, without wildcards, blanks, quotes. */
bool nats_wire_subject_valid(const char *subject);

/* The answer to a publish: what became of the message, and *why in why_size bytes if it was not
 * accepted. */
enum verdict nats_wire_ack(const char *json, size_t len, char *why, size_t why_size);

enum nats_stream {
	NATS_STREAM_THERE,    /* a stream covers the subject */
	NATS_STREAM_NONE,     /* JetStream is there, and no stream covers it */
	NATS_STREAM_DISABLED, /* this account has no JetStream */
	NATS_STREAM_UNKNOWN,  /* an error: why says which */
};

/* The answer to $JS.API.STREAM.NAMES. */
enum nats_stream nats_wire_streams(const char *json, size_t len, char *why, size_t why_size);

#endif
