/* SPDX-License-Identifier: Apache-2.0 */
/* NKeys: Ed25519 keys as text, https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth */
#ifndef NATS_NKEY_H
#define NATS_NKEY_H

#include <stddef.h>

enum { NATS_NKEY_SIZE = 64 }; /* of a key as text, with a NUL */

/* The public key of a user's seed (SU…), which stands on a line of its own in text. 0, or -1:
 * there is none, or it is mistyped. */
int nats_nkey_public(const char *text, char out[NATS_NKEY_SIZE]);

#endif
