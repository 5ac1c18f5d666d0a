/* SPDX-License-Identifier: Apache-2.0 */
/* A host name looked up in a thread of its own: getaddrinfo(3) may take as long as the
 * resolver's timeouts, and knows no other way. */
#ifndef AZURESB_RESOLVE_H
#define AZURESB_RESOLVE_H

#include <netdb.h>
#include <stdbool.h>

struct azuresb_resolve;

/* Begins. NULL with errno. */
struct azuresb_resolve *azuresb_resolve_start(const char *host, const char *port);
/* Does not wait for a look-up that still runs: nobody hears of it. Takes NULL. */
void azuresb_resolve_free(struct azuresb_resolve *r);

/* Readable when it is done. */
int azuresb_resolve_fd(const struct azuresb_resolve *r);

/* Is it done? Then *error is getaddrinfo's result (with EAI_SYSTEM errno is set), and *list what
 * was found, which is then the caller's to free by freeaddrinfo. */
bool azuresb_resolve_take(struct azuresb_resolve *r, int *error, struct addrinfo **list);

#endif
