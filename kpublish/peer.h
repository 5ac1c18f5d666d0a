/* SPDX-License-Identifier: Apache-2.0 */
/* The server at the other end of a stream, and how it shows who it is. */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stdint.h>

struct peer {
	const char *host; /* an IPv6 address without brackets */
	uint16_t port;
	int timeout_ms; /* to reach it, over all the addresses of the host */
	bool tls;
	bool verify;            /* the server's certificate */
	const char *name;       /* that it must have, and that is asked for by SNI */
	const char *cacertfile; /* NULL: what the system trusts, or SSL_CERT_FILE names */
	const char *certfile;   /* NULL: none */
	const char *keyfile;    /* NULL: in certfile */
};

#endif
