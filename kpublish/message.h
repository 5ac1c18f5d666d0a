/* SPDX-License-Identifier: Apache-2.0 */
/* One message for a bus: a frame's Envelope and what a bus says about it beside the body.
 *
 * Read with a walk over the wire format that steps over the large fields, since unpacking would
 * copy them. Source: https://protobuf.dev/programming-guides/encoding/; the fields:
 * proto/kollect/event/v1/event.proto and proto/kollect/resource/event/v1/event.proto. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stddef.h>
#include <stdint.h>

/* Borrows the body; p NULL: absent. */
struct text {
	const char *p;
	size_t len;
};

/* What DESIGN 1.4 wants as an attribute or header. The value ends in a NUL. */
struct attribute {
	const char *name;
	const char *value;
	size_t len;
};

enum { ATTRIBUTES_MAX = 8 };

/* What has been left out, as field 20 of the Envelope has it; each includes those before. */
enum shrunk {
	SHRUNK_NONE,
	SHRUNK_THEN,           /* `then` is reduced to apiVersion, kind and metadata */
	SHRUNK_MANAGED_FIELDS, /* no state has its metadata.managedFields */
};

struct message {
	const uint8_t *body; /* the Envelope's bytes, those that a bus is to send */
	size_t len;
	uint64_t seq; /* 0: none */

	/* Each is valid UTF-8 without control characters: fit for a header. */
	struct text id;
	struct text type; /* the payload's full name */
	struct text cluster_id;
	struct text uid;
	struct text stream; /* a Gap's */
	struct text group;
	struct text version;
	struct text kind;
	struct text ns;
	struct text name;
	struct text traceparent;

	/* Only after message_keep: */
	struct attribute attributes[ATTRIBUTES_MAX]; /* those with a value */
	size_t n_attributes;
	const char
	    *key; /* cluster_id/uid, for a Gap cluster_id/stream, else the id; ends in a NUL */
	size_t key_len;
	char *memory; /* owned: the body's copy and the strings */

	/* Only after message_shrink: */
	enum shrunk shrunk;
	uint8_t *smaller;  /* owned: the body; NULL: the body is the whole Envelope */
	struct text whole; /* the Envelope as it came */

	uint64_t tag; /* for the bus that has it in flight */
};

/* Reads an Envelope; body is borrowed. 0; or -1 with *why a literal that says what is wrong. */
int message_read(struct message *m, const uint8_t *body, size_t len, const char **why);

/* Makes the message independent of where it was read from, and makes key and attributes.
 * 0, or -1 with errno ENOMEM. */
int message_keep(struct message *m);

/* Gives back what message_keep and message_shrink took; seq stays. Harmless on a message that
 * was not kept. */
void message_free(struct message *m);

/* The Envelope as it came, whatever has been left out of the body since. */
struct text message_whole(const struct message *m);

/* The bytes of memory that a kept message takes, roughly. */
size_t message_cost(const struct message *m);

#endif
