/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/azuresb_config.h"

#include <string.h>

#include "tap.h"

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Is it read as these? NULL: not there. */
static bool
reads(const char *text, const char *host, unsigned port, const char *entity, bool tls)
{
	struct azuresb_config c;
	const char *why;
	bool yes = azuresb_config_parse(&c, text, &why) == 0 && same(c.peer.host, host) &&
		   c.peer.port == port && same(c.entity, entity) && c.peer.tls == tls;

	azuresb_config_free(&c);
	return yes;
}

/* Is it refused, with a reason that has these words and none of its own? */
static bool
refused(const char *text, const char *words)
{
	struct azuresb_config c;
	const char *why = "";
	bool yes = azuresb_config_parse(&c, text, &why) == -1 && strstr(why, words) != NULL &&
		   strstr(why, "s3cret") == NULL;

	azuresb_config_free(&c);
	return yes;
}

#define KEY ";SharedAccessKeyName=Root;SharedAccessKey=s3cret="

static void
test_good(struct tap *tap)
{
	struct azuresb_config c;
	const char *why;

	tap_ok(tap,
	    azuresb_config_parse(&c,
		"Endpoint=sb://ns.servicebus.windows.net/" KEY ";EntityPath=t", &why) == 0 &&
		same(c.peer.host, "ns.servicebus.windows.net") && c.peer.port == 5671 &&
		same(c.key_name, "Root") && same(c.key, "s3cret=") && c.signature == NULL &&
		same(c.entity, "t") && c.peer.tls && c.peer.verify &&
		same(c.peer.name, c.peer.host),
	    "as the portal gives it");
	azuresb_config_free(&c);
	tap_ok(tap,
	    azuresb_config_parse(&c,
		"Endpoint=sb://h;SharedAccessSignature=SharedAccessSignature "
		"sr=x&sig=a%3d&se=1&skn=n",
		&why) == 0 &&
		same(c.signature, "SharedAccessSignature sr=x&sig=a%3d&se=1&skn=n") &&
		c.key == NULL,
	    "with a signature");
	azuresb_config_free(&c);
	tap_ok(tap, reads("endpoint=SB://h:99/" KEY, "h", 99, NULL, true),
	    "any case, with a port");
	tap_ok(tap, reads(" Endpoint = amqps://h ; " KEY " ; ", "h", 5671, NULL, true),
	    "white space");
	tap_ok(tap, reads("Endpoint=sb://[::1]:7/" KEY, "::1", 7, NULL, true), "IPv6");
	tap_ok(tap, reads("Endpoint=sb://[::1]" KEY, "::1", 5671, NULL, true),
	    "IPv6 without a port");
	tap_ok(tap,
	    reads(
		"Endpoint=sb://h/" KEY ";UseDevelopmentEmulator=true;", "h", 5672, NULL, false),
	    "the emulator");
	tap_ok(tap,
	    reads("UseDevelopmentEmulator=False;Endpoint=sb://h/;EntityPath=" KEY ";X=y", "h",
		5671, NULL, true),
	    "no emulator, an empty path, what is unknown");
}

int
main(void)
{
	struct tap tap = {0};

	test_good(&tap);
	tap_ok(&tap, refused("", "no Endpoint") && refused(KEY, "no Endpoint"), "no endpoint");
	tap_ok(&tap, refused("s3cret", "NAME=VALUE"), "no NAME=VALUE");
	tap_ok(&tap,
	    refused("Endpoint=h" KEY, "sb://HOST/") &&
		refused("Endpoint=https://h/" KEY, "sb://HOST/") &&
		refused("Endpoint=sb:///" KEY, "sb://HOST/") &&
		refused("Endpoint=sb://h:/" KEY, "sb://HOST/") &&
		refused("Endpoint=sb://h:5x/" KEY, "sb://HOST/") &&
		refused("Endpoint=sb://h:0/" KEY, "sb://HOST/") &&
		refused("Endpoint=sb://h:65536/" KEY, "sb://HOST/") &&
		refused("Endpoint=sb://[::1/" KEY, "sb://HOST/"),
	    "an endpoint that is none");
	tap_ok(&tap,
	    refused("Endpoint=sb://h/", "neither") &&
		refused("Endpoint=sb://h/;SharedAccessKey=s3cret", "neither") &&
		refused("Endpoint=sb://h/;SharedAccessKeyName=n", "neither"),
	    "no key, or half of it");
	tap_ok(&tap,
	    refused("Endpoint=sb://h/" KEY
		    ";SharedAccessSignature=SharedAccessSignature sr=s3cret",
		"both"),
	    "a key and a signature");
	tap_ok(&tap, refused("Endpoint=sb://h/;SharedAccessSignature=s3cret", "does not begin"),
	    "a signature that is none");
	tap_ok(&tap,
	    refused("Endpoint=sb://h/" KEY ";UseDevelopmentEmulator=1", "neither true"),
	    "an emulator that may be");
	return tap_done(&tap);
}
