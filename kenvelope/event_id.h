/* SPDX-License-Identifier: Apache-2.0 */
/* The id of a change: a UUIDv5 (RFC 9562, 5.5), the same for the same change wherever and
 * whenever it is made. */
#ifndef EVENT_ID_H
#define EVENT_ID_H

enum { EVENT_ID_SIZE = 37 }; /* with the NUL */

struct event_id;

/* What hashing needs, to be used again for each id. NULL when OpenSSL has none. */
struct event_id *event_id_open(void);
void event_id_close(struct event_id *maker);

/* The UUIDv5 of "CLUSTER/UID/RESOURCE_VERSION/TYPE" in kollect's namespace
 * (proto/kollect/event/v1/event.proto). 0, or -1 when OpenSSL fails. */
int event_id_make(struct event_id *maker, const char *cluster, const char *uid,
    const char *resource_version, const char *type, char out[EVENT_ID_SIZE]);

#endif
