/* SPDX-License-Identifier: Apache-2.0 */
/* The servers in NATS_SERVER_URL: [nats://|tls://][USER[:PASSWORD]@]HOST[:PORT], with commas
 * between several, as https://docs.nats.io/using-nats/developer/connecting has it. */
#ifndef NATS_SERVERS_H
#define NATS_SERVERS_H

#include <stdbool.h>
#include <stddef.h>

enum { NATS_SERVERS_MAX = 32 };

struct nats_server {
	char *url;      /* SCHEME://HOST:PORT, with nothing secret */
	char *host;     /* without the brackets of an IPv6 address */
	char *port;     /* a decimal number */
	char *user;     /* percent-decoded; NULL: none */
	char *password; /* NULL: user is a token */
	bool tls;
};

struct nats_servers {
	struct nats_server list[NATS_SERVERS_MAX];
	size_t n; /* at least one */
};

/* 0; or -1 with *why a literal that says what is wrong. To be freed in any case. */
int nats_servers_parse(struct nats_servers *servers, const char *text, const char **why);
void nats_servers_free(struct nats_servers *servers);

/* Why there is no connection to the server: cnats does not say. Tries it, and so blocks for some
 * seconds; a literal or the C library's text. */
const char *nats_servers_why(const struct nats_server *server);

#endif
