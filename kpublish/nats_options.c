/* SPDX-License-Identifier: Apache-2.0 */
#include "nats_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "nats_nkey.h"

enum {
	CONNECT_MS = 5000,
	WRITE_MS = 5000,
	PING_MS =
	    10000, /* a connection that is silently dead is noticed after three of these */
	PINGS_OUT = 2,
	IO_BUFFER = 128 * 1024,
	SEED_FILE_MAX = 65536,
};

/* What is being made, and what is wrong with it. */
struct making {
	const struct nats_settings *settings;
	natsOptions *options;
	char *why;
	size_t why_size;
};

static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

void
nats_settings_read(struct nats_settings *s)
{
	*s = (struct nats_settings){
	    .creds = variable("NATS_CREDS"),
	    .nkey = variable("NATS_NKEY"),
	    .user = variable("NATS_USER"),
	    .password = variable("NATS_PASSWORD"),
	    .token = variable("NATS_TOKEN"),
	    .ca = variable("NATS_CA"),
	    .cert = variable("NATS_CERT"),
	    .key = variable("NATS_KEY"),
	};
}

const char *
nats_options_error(natsStatus status)
{
	const char *text = nats_GetLastError(NULL);
	const char *place = text != NULL && *text == '(' ? strstr(text, "): ") : NULL;

	if (text == NULL || *text == '\0')
		text = natsStatus_GetText(status);
	/* By TLS 1.3 a server says no to a certificate when the client thinks itself connected. */
	if (status == NATS_CONNECTION_CLOSED || strstr(text, "Expected 'PONG', got ''") != NULL)
		return "the server closed the connection at the login; it may want a client's "
		       "certificate (NATS_CERT, NATS_KEY)";
	return place != NULL ? place + strlen("): ") : text;
}

static int
bad_file(struct making *m, const char *name, const char *path, const char *what)
{
	snprintf(m->why, m->why_size, "%s: %s: %s", name, path, what);
	return -1;
}

/* The result of a call to cnats that has read a file, which may not have been there. */
static int
loaded(struct making *m, const char *name, const char *path, natsStatus status)
{
	if (status == NATS_OK)
		return 0;
	if (access(path, R_OK) == -1)
		return bad_file(m, name, path, strerror(errno));
	return bad_file(m, name, path, nats_options_error(status));
}

static int
set_tls(struct making *m)
{
	const struct nats_settings *s = m->settings;

	if ((s->cert == NULL) != (s->key == NULL)) {
		snprintf(m->why, m->why_size, "NATS_CERT and NATS_KEY go together");
		return -1;
	}
	if (s->ca != NULL &&
	    loaded(m, "NATS_CA", s->ca,
		natsOptions_LoadCATrustedCertificates(m->options, s->ca)) == -1)
		return -1;
	if (s->cert != NULL && access(s->key, R_OK) == -1)
		return bad_file(m, "NATS_KEY", s->key, strerror(errno));
	if (s->cert != NULL &&
	    loaded(m, "NATS_CERT", s->cert,
		natsOptions_LoadCertificatesChain(m->options, s->cert, s->key)) == -1)
		return -1;
	return 0;
}

static int
set_nkey(struct making *m)
{
	const char *path = m->settings->nkey;
	char public[NATS_NKEY_SIZE];
	size_t len;
	char *text = file_read(path, SEED_FILE_MAX, &len);
	int good;

	if (text == NULL)
		return bad_file(m, "NATS_NKEY", path, strerror(errno));
	good = nats_nkey_public(text, public);
	explicit_bzero(text, len);
	free(text);
	if (good == -1)
		return bad_file(m, "NATS_NKEY", path, "holds no user's seed (SU...)");
	return loaded(
	    m, "NATS_NKEY", path, natsOptions_SetNKeyFromSeed(m->options, public, path));
}

static int
set_files(struct making *m)
{
	const struct nats_settings *s = m->settings;

	if (set_tls(m) == -1)
		return -1;
	if (s->creds != NULL && access(s->creds, R_OK) == -1)
		return bad_file(m, "NATS_CREDS", s->creds, strerror(errno));
	if (s->creds != NULL &&
	    loaded(m, "NATS_CREDS", s->creds,
		natsOptions_SetUserCredentialsFromFiles(m->options, s->creds, NULL)) == -1)
		return -1;
	return s->nkey != NULL ? set_nkey(m) : 0;
}

/* The URL's user counts more than the variables'. */
static natsStatus
set_user(struct making *m, const struct nats_server *server)
{
	const struct nats_settings *s = m->settings;
	const char *user = server->user != NULL ? server->user : s->user;
	const char *password = server->user != NULL ? server->password : s->password;

	if (user != NULL && password != NULL)
		return natsOptions_SetUserInfo(m->options, user, password);
	if (user != NULL)
		return natsOptions_SetToken(m->options, user);
	return s->token != NULL ? natsOptions_SetToken(m->options, s->token) : NATS_OK;
}

static natsStatus
set_others(struct making *m, const struct nats_server *server)
{
	bool secure = server->tls || m->settings->ca != NULL || m->settings->cert != NULL;
	natsStatus s = natsOptions_SetURL(m->options, server->url);

	if (s == NATS_OK && secure)
		s = natsOptions_SetSecure(m->options, true);
	if (s == NATS_OK)
		s = set_user(m, server);
	natsOptions_SetName(m->options, "kpublish");
	natsOptions_SetAllowReconnect(m->options, false);
	natsOptions_SetTimeout(m->options, CONNECT_MS);
	natsOptions_SetWriteDeadline(m->options, WRITE_MS);
	natsOptions_SetPingInterval(m->options, PING_MS);
	natsOptions_SetMaxPingsOut(m->options, PINGS_OUT);
	natsOptions_SetIOBufSize(m->options, IO_BUFFER);
	return s;
}

natsOptions *
nats_options_make(const struct nats_settings *settings, const struct nats_server *server,
    char *why, size_t why_size)
{
	struct making m = {.settings = settings, .why = why, .why_size = why_size};
	natsStatus s = natsOptions_Create(&m.options);

	if (s == NATS_OK)
		s = set_others(&m, server);
	if (s != NATS_OK)
		snprintf(why, why_size, "%s", nats_options_error(s));
	if (s == NATS_OK && set_files(&m) == 0)
		return m.options;
	natsOptions_Destroy(m.options);
	return NULL;
}
