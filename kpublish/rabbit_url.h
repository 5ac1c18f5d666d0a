/* SPDX-License-Identifier: Apache-2.0 */
/* RABBIT_SERVER_URL: where the broker is, and who we are to it.
 *
 *	amqp[s]://[USER[:PASSWORD]@]HOST[:PORT][/VHOST][?NAME=VALUE&…], commas between several
 *
 * Sources: https://www.rabbitmq.com/docs/uri-spec and /docs/uri-query-parameters. No vhost and
 * an empty one are "/", as Go's client has it. rabbitmq-c's own parser takes neither a query
 * nor characters beyond ASCII in a password. */
#ifndef RABBIT_URL_H
#define RABBIT_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "peer.h"
#include "url.h"

struct rabbit_server {
	struct peer peer;
	const char *user;
	const char *password;
	const char *vhost;

	/* Parameters. */
	int heartbeat_s; /* what we ask for; 0: none */
	bool external;   /* who we are says the client's certificate */

	char *shown;       /* owned: for messages, without user, password and query */
	char *memory;      /* owned: the strings before the query */
	struct url params; /* owned: those of the query */
};

struct rabbit_servers {
	struct rabbit_server *server;
	size_t n;
};

/* 0; or -1 with *why malloc'ed (NULL: out of memory), which never quotes the URL, but names its
 * place among several. */
int rabbit_url_parse(struct rabbit_servers *servers, const char *list, char **why);
void rabbit_url_free(struct rabbit_servers *servers);

#endif
