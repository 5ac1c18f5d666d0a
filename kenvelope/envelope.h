/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the frame of a record: varint length and kollect.event.v1.Envelope. */
#ifndef ENVELOPE_H
#define ENVELOPE_H

#include "out.h"
#include "record.h"

struct envelope;

/* NULL with errno; a NULL with errno 0: OpenSSL has no SHA-1. */
struct envelope *envelope_open(void);
void envelope_close(struct envelope *env);

enum envelope_result {
	ENVELOPE_OK,
	ENVELOPE_TOO_LARGE, /* the frame would be over INPUT_MAX: nothing was written */
	ENVELOPE_FAILED,    /* errno: writing, or out of memory */
};

/* Appends the record's frame to out. The same record and cluster id give the same bytes. */
enum envelope_result envelope_write(
    struct envelope *env, const struct record *record, const char *cluster_id, struct out *out);

#endif
