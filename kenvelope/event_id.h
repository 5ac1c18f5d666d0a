/* SPDX-License-Identifier: Apache-2.0 */
/* The id of a change or a gap: a UUIDv5 (RFC 9562, 5.5), the same for the same one wherever and
 * whenever it is made. */
#ifndef EVENT_ID_H
#define EVENT_ID_H

#include <stddef.h>

enum { EVENT_ID_SIZE = 37 }; /* with the NUL */

struct event_id;

/* What hashing needs, to be used again for each id. NULL when OpenSSL has none. */
struct event_id *event_id_open(void);
void event_id_close(struct event_id *maker);

/* The UUIDv5 of the n parts with slashes between them, in kollect's namespace
 * (proto/kollect/event/v1/event.proto). 0, or -1 when OpenSSL fails. */
int event_id_make(
    struct event_id *maker, const char *const *parts, size_t n, char out[EVENT_ID_SIZE]);

#endif
