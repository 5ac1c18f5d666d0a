/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/nats_servers.h"

#include <string.h>

#include "kpublish/nats_nkey.h"
#include "tap.h"

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The text is one server with these parts. */
static bool
is(const char *text, const char *url, const char *host, const char *user, const char *password)
{
	struct nats_servers servers;
	const char *why;
	bool good = nats_servers_parse(&servers, text, &why) == 0 && servers.n == 1 &&
		    same(servers.list[0].url, url) && same(servers.list[0].host, host) &&
		    same(servers.list[0].user, user) &&
		    same(servers.list[0].password, password);

	nats_servers_free(&servers);
	return good;
}

static bool
fails(const char *text)
{
	struct nats_servers servers;
	const char *why = NULL;
	bool good = nats_servers_parse(&servers, text, &why) == -1 && why != NULL;

	nats_servers_free(&servers);
	return good;
}

static void
servers(struct tap *tap)
{
	struct nats_servers many;
	const char *why;

	tap_ok(tap, is("nats://h:1", "nats://h:1", "h", NULL, NULL), "a URL");
	tap_ok(tap, is("h", "nats://h:4222", "h", NULL, NULL), "a host alone");
	tap_ok(tap, is("tls://h/", "tls://h:4222", "h", NULL, NULL), "TLS");
	tap_ok(tap,
	    is("nats://[::1]:5", "nats://[::1]:5", "::1", NULL, NULL) &&
		is("[::1]", "nats://[::1]:4222", "::1", NULL, NULL),
	    "an IPv6 address");
	tap_ok(tap, is("nats://u:p@h", "nats://h:4222", "h", "u", "p"), "user and password");
	tap_ok(tap, is("nats://t@h", "nats://h:4222", "h", "t", NULL), "a token");
	tap_ok(tap, is("u%40x:p%3A%2F%25@h", "nats://h:4222", "h", "u@x", "p:/%"),
	    "percent signs in them");
	tap_ok(
	    tap, is("u:p@q:r@h", "nats://h:4222", "h", "u", "p@q:r"), "the last @ ends them");
	tap_ok(tap,
	    nats_servers_parse(&many, "nats://a:1, tls://u:p@b,,c:3", &why) == 0 &&
		many.n == 3 && same(many.list[1].url, "tls://b:4222") && many.list[1].tls &&
		!many.list[2].tls && same(many.list[2].port, "3") && many.list[2].user == NULL,
	    "several");
	nats_servers_free(&many);
	tap_ok(tap, fails("") && fails(" , ") && fails("nats://") && fails("nats://:4222"),
	    "no host");
	tap_ok(tap,
	    fails("h:") && fails("h:0") && fails("h:65536") && fails("h:x") && fails("h:1x") &&
		fails("h:+1") && fails("[::1") && fails("[::1]x"),
	    "no port");
	tap_ok(tap, fails("ws://h") && fails("http://h"), "another scheme");
	tap_ok(
	    tap, fails("u:%4@h") && fails("%zz@h") && fails("a,b,u%@c"), "bad percent signs");
}

static bool
public_is(const char *text, const char *want)
{
	char key[NATS_NKEY_SIZE];

	if (nats_nkey_public(text, key) == -1)
		return want == NULL;
	return want != NULL && strcmp(key, want) == 0;
}

/* From https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth */
#define SEED   "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
#define PUBLIC "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"

static void
nkeys(struct tap *tap)
{
	tap_ok(tap, public_is(SEED, PUBLIC) && public_is(SEED "\n", PUBLIC), "a seed");
	tap_ok(tap,
	    public_is("-----BEGIN USER NKEY SEED-----\r\n" SEED "\r\n------END\n", PUBLIC),
	    "a seed among other lines");
	tap_ok(tap,
	    public_is("", NULL) && public_is("SU", NULL) && public_is(SEED "X", NULL) &&
		public_is(PUBLIC, NULL),
	    "no seed");
	tap_ok(tap,
	    public_is("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCUAVY", NULL) &&
		public_is("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYY1CU3VY", NULL),
	    "mistyped");
}

int
main(void)
{
	struct tap tap = {0};

	servers(&tap);
	nkeys(&tap);
	return tap_done(&tap);
}
