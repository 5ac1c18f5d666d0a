/* SPDX-License-Identifier: Apache-2.0 */
#include "rabbit_url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PORT_AMQP = 5672,
	PORT_AMQPS = 5671,
	HEARTBEAT_S = 10,
	TIMEOUT_MS = 10000,
};

static const char *const params[] = {"heartbeat", "connection_timeout", "channel_max",
    "frame_max", "auth_mechanism", "verify", "server_name_indication", "cacertfile", "certfile",
    "keyfile", NULL};

/* Decimal, from 0 to max; -1 for anything else. */
static int
number(const char *text, int max)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' || n > max)
		return -1;
	return (int)n;
}

/* Sets what a parameter with few values stands for. */
static int
choose(const struct url *url, const char *name, const char *no, const char *yes, bool *value)
{
	const char *given = url_param(url, name);

	if (given != NULL && strcmp(given, no) != 0 && strcmp(given, yes) != 0)
		return -1;
	if (given != NULL)
		*value = strcmp(given, yes) == 0;
	return 0;
}

static int
choose_number(const struct url *url, const char *name, int max, int *value)
{
	const char *given = url_param(url, name);

	if (given == NULL)
		return 0;
	*value = number(given, max);
	return *value == -1 ? -1 : 0;
}

static const char *
read_params(struct rabbit_server *s)
{
	const struct url *p = &s->params;
	int ignored; /* channel_max, frame_max: there is one channel, and the broker's frames */

	if (choose_number(p, "heartbeat", UINT16_MAX, &s->heartbeat_s) == -1)
		return "heartbeat is wanted in seconds";
	if (choose_number(p, "connection_timeout", INT32_MAX, &s->peer.timeout_ms) == -1 ||
	    s->peer.timeout_ms == 0)
		return "connection_timeout is wanted in milliseconds";
	if (choose_number(p, "channel_max", UINT16_MAX, &ignored) == -1 ||
	    choose_number(p, "frame_max", INT32_MAX, &ignored) == -1)
		return "channel_max and frame_max are wanted as numbers";
	if (choose(p, "auth_mechanism", "plain", "external", &s->external) == -1)
		return "auth_mechanism can be plain or external";
	if (choose(p, "verify", "verify_none", "verify_peer", &s->peer.verify) == -1)
		return "verify can be verify_peer or verify_none";
	s->peer.cacertfile = url_param(p, "cacertfile");
	s->peer.certfile = url_param(p, "certfile");
	s->peer.keyfile = url_param(p, "keyfile");
	if (url_param(p, "server_name_indication") != NULL)
		s->peer.name = url_param(p, "server_name_indication");
	if (s->peer.keyfile != NULL && s->peer.certfile == NULL)
		return "keyfile is of no use without certfile";
	return NULL;
}

/* Cuts text at the first character of the set; what stands behind it, NULL when there is none. */
static char *
cut(char *text, const char *set)
{
	char *at = strpbrk(text, set);

	if (at == NULL)
		return NULL;
	*at = '\0';
	return at + 1;
}

/* [USER[:PASSWORD]@], which is cut off from *authority. */
static const char *
read_user(struct rabbit_server *s, char **authority)
{
	char *at = strrchr(*authority, '@');
	char *user = *authority;
	char *password;

	if (at == NULL)
		return NULL;
	*at = '\0';
	*authority = at + 1;
	password = cut(user, ":");
	if (url_percent_decode(user) == -1 ||
	    (password != NULL && url_percent_decode(password) == -1))
		return "a % in the user or password has no two hexadecimal digits behind it";
	s->user = user;
	s->password = password != NULL ? password : "";
	return NULL;
}

/* HOST[:PORT] */
static const char *
read_host(struct rabbit_server *s, char *authority)
{
	char *port;
	int n;

	if (*authority == '[') {
		s->peer.host = authority + 1;
		authority = cut(authority, "]");
		if (authority == NULL || (*authority != ':' && *authority != '\0'))
			return "a [ before the host's address wants a ] behind it";
		port = *authority == ':' ? authority + 1 : NULL;
	} else {
		port = cut(authority, ":");
		if (url_percent_decode(authority) == -1)
			return "a % in the host has no two hexadecimal digits behind it";
		s->peer.host = authority;
	}
	if (*s->peer.host == '\0')
		return "names no host";
	n = port == NULL || *port == '\0' ? s->peer.port : number(port, UINT16_MAX);
	if (n <= 0)
		return "has a port that is no number from 1 to 65535";
	s->peer.port = (uint16_t)n;
	return NULL;
}

static int
make_shown(struct rabbit_server *s)
{
	bool v6 = strchr(s->peer.host, ':') != NULL;
	bool root = strcmp(s->vhost, "/") == 0;

	return asprintf(&s->shown, "%s://%s%s%s:%u%s%s", s->peer.tls ? "amqps" : "amqp",
		   v6 ? "[" : "", s->peer.host, v6 ? "]" : "", s->peer.port, root ? "" : "/",
		   root ? "" : s->vhost) == -1
		   ? -1
		   : 0;
}

/* ?NAME=VALUE&… */
static const char *
read_query(struct rabbit_server *s, const char *query)
{
	char *text;
	const char *why = NULL;

	if (asprintf(&text, "amqp:?%s", query) == -1)
		return "is too much: out of memory";
	if (url_parse(&s->params, text, &why) == 0)
		why = url_unknown_param(&s->params, params) != NULL
			  ? "has a parameter that is none of heartbeat, connection_timeout, "
			    "channel_max, frame_max, auth_mechanism, verify, "
			    "server_name_indication, cacertfile, certfile, keyfile"
			  : read_params(s);
	free(text);
	return why;
}

static const char *
read_vhost(struct rabbit_server *s, char *vhost)
{
	if (url_percent_decode(vhost) == -1)
		return "a % in the vhost has no two hexadecimal digits behind it";
	if (strlen(vhost) > UINT8_MAX)
		return "has a vhost of more than 255 bytes";
	if (*vhost != '\0')
		s->vhost = vhost;
	return NULL;
}

/* What is wrong, NULL: nothing. */
static const char *
read_server(struct rabbit_server *s, char *text)
{
	char *query = cut(text, "?");
	char *vhost;
	char *authority;
	const char *why = NULL;

	s->peer.tls = strncmp(text, "amqps://", 8) == 0;
	if (!s->peer.tls && strncmp(text, "amqp://", 7) != 0)
		return "is wanted as amqp://… or amqps://…";
	s->peer.port = s->peer.tls ? PORT_AMQPS : PORT_AMQP;
	authority = text + (s->peer.tls ? 8 : 7);
	vhost = cut(authority, "/");
	if (vhost != NULL)
		why = read_vhost(s, vhost);
	if (why == NULL)
		why = read_user(s, &authority);
	if (why == NULL)
		why = read_host(s, authority);
	s->peer.name = s->peer.host;
	if (why == NULL && query != NULL)
		why = read_query(s, query);
	if (why == NULL && make_shown(s) == -1)
		why = "is too much: out of memory";
	return why;
}

int
rabbit_url_parse(struct rabbit_servers *servers, const char *list, char **why)
{
	*servers = (struct rabbit_servers){.n = 0};
	*why = NULL;
	for (;;) {
		size_t len = strcspn(list, ",");
		struct rabbit_server *grown =
		    reallocarray(servers->server, servers->n + 1, sizeof(*servers->server));
		struct rabbit_server *s;
		const char *wrong;

		if (grown == NULL)
			return -1;
		servers->server = grown;
		s = &grown[servers->n++];
		*s = (struct rabbit_server){.user = "guest",
		    .password = "guest",
		    .vhost = "/",
		    .heartbeat_s = HEARTBEAT_S,
		    .peer.timeout_ms = TIMEOUT_MS,
		    .peer.verify = true,
		    .memory = strndup(list, len)};
		if (s->memory == NULL)
			return -1;
		wrong = read_server(s, s->memory);
		if (wrong != NULL) {
			if (asprintf(why, "URL %zu %s", servers->n, wrong) == -1)
				*why = NULL;
			return -1;
		}
		if (list[len] == '\0')
			return 0;
		list += len + 1;
	}
}

void
rabbit_url_free(struct rabbit_servers *servers)
{
	for (size_t i = 0; i < servers->n; i++) {
		free(servers->server[i].shown);
		free(servers->server[i].memory);
		url_free(&servers->server[i].params);
	}
	free(servers->server);
	*servers = (struct rabbit_servers){.n = 0};
}
