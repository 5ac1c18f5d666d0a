/* SPDX-License-Identifier: Apache-2.0 */
/* Shared access signatures. Source:
 * https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas#generate-a-shared-access-signature-token */
#ifndef AZURESB_TOKEN_H
#define AZURESB_TOKEN_H

#include <stdint.h>

/* The token that lets us send to the resource (amqps://HOST/ENTITY) until expiry (Unix time).
 * malloc'ed: wipe and free it by azuresb_token_free; NULL with errno ENOMEM. */
char *azuresb_token_make(
    const char *resource, const char *key_name, const char *key, int64_t expiry);

/* Takes NULL. */
void azuresb_token_free(char *token);

/* When a token ends, in Unix time; 0: it does not say. */
int64_t azuresb_token_expiry(const char *token);

#endif
