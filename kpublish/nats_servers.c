/* SPDX-License-Identifier: Apache-2.0 */
#include "nats_servers.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "url.h"

enum { PORT_MAX = 65535, TRY_S = 2 };

static const char no_memory[] = "out of memory";

/* USER[:PASSWORD] → the server's. */
static int
take_user(struct nats_server *s, char *info, const char **why)
{
	char *password = strchr(info, ':');

	*why = "a % before the @ has no two hexadecimal digits behind it";
	if (password != NULL) {
		*password++ = '\0';
		if (url_percent_decode(password) == -1)
			return -1;
		s->password = strdup(password);
	}
	if (url_percent_decode(info) == -1)
		return -1;
	s->user = strdup(info);
	*why = no_memory;
	return s->user == NULL || (password != NULL && s->password == NULL) ? -1 : 0;
}

static bool
is_port(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *text >= '0' && *text <= '9' && *end == '\0' && n >= 1 && n <= PORT_MAX;
}

/* HOST[:PORT], an IPv6 address in brackets → the server's. */
static int
take_host(struct nats_server *s, char *place, const char **why)
{
	bool bracket = *place == '[';
	char *end = place + (bracket ? strcspn(place, "]") : strcspn(place, ":"));
	const char *port = "4222";

	*why = "wants HOST:PORT";
	if (bracket && *end == '\0')
		return -1;
	if (bracket) {
		place++;
		*end++ = '\0';
	}
	if (*end == ':') {
		*end = '\0';
		port = end + 1;
	} else if (*end != '\0') {
		return -1;
	}
	if (*place == '\0' || !is_port(port))
		return -1;
	s->host = strdup(place);
	s->port = strdup(port);
	*why = no_memory;
	if (s->host == NULL || s->port == NULL ||
	    asprintf(&s->url, "%s://%s%s%s:%s", s->tls ? "tls" : "nats", bracket ? "[" : "",
		place, bracket ? "]" : "", port) == -1) {
		s->url = NULL;
		return -1;
	}
	return 0;
}

static int
parse_one(struct nats_server *s, char *text, const char **why)
{
	char *slashes = strstr(text, "://");
	char *at;

	*why = "wants nats:// or tls://";
	if (slashes != NULL) {
		*slashes = '\0';
		s->tls = strcmp(text, "tls") == 0;
		if (!s->tls && strcmp(text, "nats") != 0)
			return -1;
		text = slashes + 3;
	}
	at = strrchr(text, '@');
	if (at != NULL) {
		*at = '\0';
		if (take_user(s, text, why) == -1)
			return -1;
		text = at + 1;
	}
	text[strcspn(text, "/")] = '\0';
	return take_host(s, text, why);
}

int
nats_servers_parse(struct nats_servers *servers, const char *text, const char **why)
{
	char *copy = strdup(text);
	char *save = NULL;
	int result = 0;

	*servers = (struct nats_servers){.n = 0};
	*why = no_memory;
	if (copy == NULL)
		return -1;
	for (char *p = strtok_r(copy, ", ", &save); p != NULL && result == 0;
	     p = strtok_r(NULL, ", ", &save)) {
		*why = "has too many servers";
		result = -1;
		if (servers->n < NATS_SERVERS_MAX)
			result = parse_one(&servers->list[servers->n++], p, why);
	}
	free(copy);
	if (result == 0 && servers->n == 0) {
		*why = "names no server";
		return -1;
	}
	return result;
}

void
nats_servers_free(struct nats_servers *servers)
{
	for (size_t i = 0; i < servers->n; i++) {
		struct nats_server *s = &servers->list[i];

		free(s->url);
		free(s->host);
		free(s->port);
		free(s->user);
		free(s->password);
	}
	servers->n = 0;
}

const char *
nats_servers_why(const struct nats_server *s)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	const struct timeval limit = {.tv_sec = TRY_S};
	const char *why = "it is there now";
	struct addrinfo *found;
	int code = getaddrinfo(s->host, s->port, &hints, &found);
	int fd;

	if (code != 0)
		return gai_strerror(code);
	fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == -1 ||
	    connect(fd, found->ai_addr, found->ai_addrlen) == -1)
		why = errno == EINPROGRESS ? "no answer" : strerrordesc_np(errno);
	if (fd != -1)
		close(fd);
	freeaddrinfo(found);
	return why;
}
