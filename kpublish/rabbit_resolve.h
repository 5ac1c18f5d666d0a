/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses of a host, without waiting for a name server: getaddrinfo(3) blocks, so a
 * thread does it, which is left to itself when nobody wants the answer any more. */
#ifndef RABBIT_RESOLVE_H
#define RABBIT_RESOLVE_H

#include <netdb.h>
#include <stdint.h>

struct rabbit_resolve;

/* NULL with errno. */
struct rabbit_resolve *rabbit_resolve_open(const char *host, uint16_t port);
/* At any time. Takes NULL. */
void rabbit_resolve_close(struct rabbit_resolve *r);

/* Readable when there is an answer. */
int rabbit_resolve_fd(const struct rabbit_resolve *r);

/* Once it is readable: 0 and the addresses, for freeaddrinfo(3); or what gai_strerror(3) takes.
 */
int rabbit_resolve_take(struct rabbit_resolve *r, struct addrinfo **addresses);

#endif
