/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses of a host, without waiting for a name server: getaddrinfo(3) blocks, so a
 * thread does it, which is left to itself when nobody wants the answer any more. */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <netdb.h>
#include <stdint.h>

struct resolve;

/* NULL with errno. */
struct resolve *resolve_open(const char *host, uint16_t port);
/* At any time. Takes NULL. */
void resolve_close(struct resolve *r);

/* Readable when there is an answer. */
int resolve_fd(const struct resolve *r);

/* Once it is readable: 0 and the addresses, for freeaddrinfo(3); or what gai_strerror(3) takes.
 */
int resolve_take(struct resolve *r, struct addrinfo **addresses);

#endif
