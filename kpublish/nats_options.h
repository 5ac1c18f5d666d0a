/* SPDX-License-Identifier: Apache-2.0 */
/* How a connection to NATS is made: variables, named as the command nats has them, in cnats'
 * form. */
#ifndef NATS_OPTIONS_H
#define NATS_OPTIONS_H

#include <nats/nats.h>

#include "nats_servers.h"

/* What the environment says; each may be NULL. */
struct nats_settings {
	const char *creds;    /* NATS_CREDS: a file with a user's JWT and seed */
	const char *nkey;     /* NATS_NKEY: a file with a user's seed */
	const char *user;     /* NATS_USER; without a password: a token */
	const char *password; /* NATS_PASSWORD */
	const char *token;    /* NATS_TOKEN */
	const char *ca;       /* NATS_CA: a file with certificates */
	const char *cert;     /* NATS_CERT: a file */
	const char *key;      /* NATS_KEY: a file */
};

void nats_settings_read(struct nats_settings *settings);

/* The options for a server; files are read now. The caller destroys them. NULL with what is
 * wrong in why. */
natsOptions *nats_options_make(const struct nats_settings *settings,
    const struct nats_server *server, char *why, size_t why_size);

/* cnats' last error in this thread, without its line numbers, or the status' own text. */
const char *nats_options_error(natsStatus status);

#endif
