/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/rabbit_url.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

struct expected {
	const char *url;
	const char *host;
	const char *user;
	const char *password;
	const char *vhost;
	const char *shown;
	unsigned port;
	bool tls;
};

static const struct expected table[] = {
    {"amqp://h", "h", "guest", "guest", "/", "amqp://h:5672", 5672, false},
    {"amqp://h/", "h", "guest", "guest", "/", "amqp://h:5672", 5672, false},
    {"amqp://h:99/%2f", "h", "guest", "guest", "/", "amqp://h:99", 99, false},
    {"amqp://u@h/v", "h", "u", "", "v", "amqp://h:5672/v", 5672, false},
    {"amqps://u:p@h", "h", "u", "p", "/", "amqps://h:5671", 5671, true},
    {"amqp://u:a%40b%3a%2F%2c%3f@h:1/a%2Fb", "h", "u", "a@b:/,?", "a/b", "amqp://h:1/a/b", 1,
	false},
    {"amqp://u:a@b:c@h", "h", "u", "a@b:c", "/", "amqp://h:5672", 5672, false},
    {"amqp://u:p%C3%A4ss@h", "h", "u", "p\xc3\xa4ss", "/", "amqp://h:5672", 5672, false},
    {"amqp://u:p@[::1]:7/v?heartbeat=5", "::1", "u", "p", "v", "amqp://[::1]:7/v", 7, false},
    {"amqp://u:p@[::1]", "::1", "u", "p", "/", "amqp://[::1]:5672", 5672, false},
    {"amqp://h?heartbeat=5", "h", "guest", "guest", "/", "amqp://h:5672", 5672, false},
    {"amqp://h:/v/w", "h", "guest", "guest", "v/w", "amqp://h:5672/v/w", 5672, false},
};

static bool
is(const struct rabbit_server *s, const struct expected *e)
{
	return s->peer.tls == e->tls && strcmp(s->peer.host, e->host) == 0 &&
	       s->peer.port == e->port && strcmp(s->user, e->user) == 0 &&
	       strcmp(s->password, e->password) == 0 && strcmp(s->vhost, e->vhost) == 0 &&
	       strcmp(s->shown, e->shown) == 0;
}

static void
parts(struct tap *tap)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct rabbit_servers servers;
		char *why;
		int result = rabbit_url_parse(&servers, table[i].url, &why);

		tap_ok(tap, result == 0 && servers.n == 1 && is(&servers.server[0], &table[i]),
		    table[i].url);
		rabbit_url_free(&servers);
		free(why);
	}
}

static void
parameters(struct tap *tap)
{
	struct rabbit_servers servers;
	const struct rabbit_server *s;
	char *why;
	int result = rabbit_url_parse(&servers,
	    "amqps://h,"
	    "amqps://h?heartbeat=60&connection_timeout=2500&cacertfile=/c%20a&certfile=/c&"
	    "keyfile=/k&verify=verify_none&server_name_indication=n&auth_mechanism=external&"
	    "channel_max=7&frame_max=0",
	    &why);

	tap_ok(tap, result == 0 && servers.n == 2, "two URLs");
	s = &servers.server[0];
	tap_ok(tap,
	    s->heartbeat_s == 10 && s->peer.timeout_ms == 10000 && s->peer.verify &&
		!s->external,
	    "without parameters: a heartbeat of 10 s, and certificates are checked");
	tap_ok(tap, s->peer.cacertfile == NULL && strcmp(s->peer.name, "h") == 0,
	    "the certificate is to be the host's");
	s = &servers.server[1];
	tap_ok(tap,
	    s->heartbeat_s == 60 && s->peer.timeout_ms == 2500 && !s->peer.verify &&
		s->external,
	    "numbers and choices");
	tap_ok(tap,
	    strcmp(s->peer.cacertfile, "/c a") == 0 && strcmp(s->peer.certfile, "/c") == 0 &&
		strcmp(s->peer.keyfile, "/k") == 0 && strcmp(s->peer.name, "n") == 0,
	    "files and name");
	rabbit_url_free(&servers);
	free(why);
}

/* Refused, with a reason that does not quote what may be the password. */
static void
refused(struct tap *tap)
{
	static const char *const wrong[] = {"", "h", "http://h", "amqp://", "amqp://u:p@",
	    "amqp://h:0", "amqp://h:65536", "amqp://h:x", "amqp://u:se/cret@h",
	    "amqp://u:se%crt@h", "amqp://[::1", "amqp://[::1]x", "amqp://h/%zz", "amqp://h,",
	    "amqp://h,amqp://u:se?cret@h", "amqp://h?heartbeat=x", "amqp://h?heartbeat=-1",
	    "amqp://h?heartbeat=70000", "amqp://h?connection_timeout=0",
	    "amqp://h?verify=maybe", "amqp://h?cret=x", "amqp://h?keyfile=k",
	    "amqp://h?auth_mechanism=magic", "amqp://h?channel_max=many"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct rabbit_servers servers;
		char *why;
		int result = rabbit_url_parse(&servers, wrong[i], &why);

		tap_ok(
		    tap, result == -1 && why != NULL && strstr(why, "cret") == NULL, wrong[i]);
		rabbit_url_free(&servers);
		free(why);
	}
}

int
main(void)
{
	struct tap tap = {0};

	parts(&tap);
	parameters(&tap);
	refused(&tap);
	return tap_done(&tap);
}
