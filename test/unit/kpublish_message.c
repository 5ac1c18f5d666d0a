/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/message.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

/* id "i", seq 300, a Reference (group g, version v, kind K, name n), and a Created event of uid
 * u in cluster c with the resource {}. */
#define REFERENCE "\x92\x01\x0c\x0a\x01g\x12\x01v\x1a\x01K\x2a\x01n"
#define CREATED                                                                              \
	"\x22\x50\x0a\x42type.googleapis.com/kollect.resource.event.v1.ResourceCreatedEvent" \
	"\x12\x0a\x0a\x01u\x12\x02{}\x1a\x01"                                                \
	"c"
#define ENVELOPE "\x0a\x01i\x80\x01\xac\x02" REFERENCE CREATED

static bool
text_is(struct text text, const char *want)
{
	return text.len == strlen(want) && memcmp(text.p, want, text.len) == 0;
}

static bool
reads(struct message *m, const char *bytes, size_t len)
{
	const char *why = NULL;
	/* A copy without anything behind it, so that reading on is found. */
	uint8_t *copy = malloc(len + 1);
	bool good;

	memcpy(copy, bytes, len);
	good = message_read(m, copy, len, &why) == 0;
	if (good)
		good = message_keep(m) == 0;
	free(copy);
	return good;
}

static const char *
attribute(const struct message *m, const char *name)
{
	for (size_t i = 0; i < m->n_attributes; i++)
		if (strcmp(m->attributes[i].name, name) == 0)
			return m->attributes[i].value;
	return NULL;
}

static bool
attribute_is(const struct message *m, const char *name, const char *value)
{
	const char *found = attribute(m, name);

	return found != NULL && strcmp(found, value) == 0;
}

static void
envelope(struct tap *tap)
{
	struct message m;

	tap_ok(tap, reads(&m, ENVELOPE, sizeof(ENVELOPE) - 1), "an Envelope");
	tap_ok(tap,
	    m.seq == 300 && text_is(m.id, "i") && text_is(m.uid, "u") &&
		text_is(m.cluster_id, "c") && text_is(m.kind, "K"),
	    "what it says");
	tap_ok(tap, strcmp(m.key, "c/u") == 0 && m.key_len == 3, "its key");
	tap_ok(tap,
	    m.n_attributes == 6 && strcmp(m.attributes[0].name, "id") == 0 &&
		attribute_is(&m, "api_version", "g/v") &&
		attribute_is(&m, "type", "kollect.resource.event.v1.ResourceCreatedEvent") &&
		attribute(&m, "namespace") == NULL,
	    "its attributes, without the empty ones");
	message_free(&m);
}

static void
others(struct tap *tap)
{
	static const char gap[] =
	    "\x0a\x01i\x22\x3f\x0a\x31type.googleapis.com/kollect.resource.event."
	    "v1.Gap\x12\x0a\x0a\x05/pods\x2a\x01"
	    "c";
	static const char unknown[] = "\x0a\x01i\x22\x08\x0a\x03x/y\x12\x01\xff";
	struct message m;

	tap_ok(tap, reads(&m, gap, sizeof(gap) - 1) && strcmp(m.key, "c//pods") == 0,
	    "a gap's key is its stream");
	message_free(&m);
	tap_ok(tap, reads(&m, unknown, sizeof(unknown) - 1) && strcmp(m.key, "i") == 0,
	    "a payload of unknown type is not looked into, its key is the id");
	message_free(&m);
}

/* Every shorter Envelope is one that lacks the payload, or none; none is read beyond its end.
 */
static void
cut_short(struct tap *tap)
{
	size_t payload = sizeof(ENVELOPE) - 1 - (sizeof(CREATED) - 1);
	struct message m;
	bool good = true;

	for (size_t len = 0; len < sizeof(ENVELOPE) - 1; len++)
		good = good && !reads(&m, ENVELOPE, len);
	tap_ok(tap, good && payload > 0, "cut short anywhere it is none");
}

static void
bad(struct tap *tap)
{
	static const struct {
		const char *name;
		const char *bytes;
		size_t len;
	} cases[] = {
#define CASE(name, bytes) {name, bytes, sizeof(bytes) - 1}
	    CASE("no id", CREATED),
	    CASE("no payload", "\x0a\x01i"),
	    CASE("no type", "\x0a\x01i\x22\x02\x0a\x00"),
	    CASE("an empty type", "\x0a\x01i\x22\x04\x0a\x02x/"),
	    CASE("a group", ENVELOPE "\x0b"),
	    CASE("the field 0", ENVELOPE "\x02\x00"),
	    CASE("an id that is a number", "\x08\x01" ENVELOPE),
	    CASE("a line break", "\x0a\x02i\n" CREATED),
	    CASE("no UTF-8", "\x0a\x01\xff" CREATED),
	    CASE("a length of 2^64-1",
		ENVELOPE "\xfa\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
#undef CASE
	};
	struct message m;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		tap_ok(tap, !reads(&m, cases[i].bytes, cases[i].len), cases[i].name);
}

int
main(void)
{
	struct tap tap = {0};

	envelope(&tap);
	others(&tap);
	cut_short(&tap);
	bad(&tap);
	return tap_done(&tap);
}
