/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "kpublish/message_shrink.h"
#include "tap.h"

/* Messages are put together here, and what becomes of them is compared byte by byte. */
struct bytes {
	uint8_t p[65536];
	size_t len;
};

static void
add(struct bytes *to, const void *p, size_t len)
{
	memcpy(to->p + to->len, p, len);
	to->len += len;
}

static void
add_field(struct bytes *to, unsigned number, const void *p, size_t len)
{
	to->len += frame_header(number << 3 | 2, to->p + to->len);
	to->len += frame_header(len, to->p + to->len);
	add(to, p, len);
}

static void
add_text(struct bytes *to, unsigned number, const char *text)
{
	if (text != NULL)
		add_field(to, number, text, strlen(text));
}

/* An Envelope whose payload is of that type; each of the payload's texts may be NULL. Unknown
 * fields stand at every level. */
static void
make(struct bytes *to, const char *type, const char *then, const char *now, const char *shrunk)
{
	static const char prefix[] = "type.googleapis.com/kollect.resource.event.v1.Resource";
	struct bytes event = {.len = 0};
	struct bytes any = {.len = 0};
	char url[100];

	to->len = 0;
	snprintf(url, sizeof(url), "%s%s", prefix, type);
	add_text(&event, 1, "u");
	add(&event, "\xf8\x07\x05", 3); /* 127: 5 */
	if (strcmp(type, "CreatedEvent") == 0) {
		add_text(&event, 2, now);
		add_text(&event, 3, "c");
	} else if (strcmp(type, "UpdatedEvent") == 0) {
		add_text(&event, 2, then);
		add_text(&event, 3, now);
		add_text(&event, 4, "c");
	} else {
		add_text(&event, 2, "c");
		add_text(&event, 16, then);
	}
	add_text(&event, 100, "unknown");
	add_text(&any, 1, url);
	add_text(&any, 99, "unknown");
	add_field(&any, 2, event.p, event.len);
	add_text(to, 1, "i");
	add(to, "\xfd\x07\x01\x02\x03\x04", 6); /* 127, of four bytes */
	add_field(to, 4, any.p, any.len);
	add_text(to, 98, "unknown");
	if (shrunk != NULL)
		add(to, shrunk, strlen(shrunk));
}

/* The marks that forms have at their end. */
static const char then_mark[] = "\xa0\x01\x01";
static const char managed_mark[] = "\xa0\x01\x02";

static bool
keep(struct message *m, const struct bytes *bytes)
{
	const char *why;

	return message_read(m, bytes->p, bytes->len, &why) == 0 && message_keep(m) == 0;
}

static bool
body_is(const struct message *m, const struct bytes *want)
{
	return m->len == want->len && memcmp(m->body, want->p, want->len) == 0;
}

static bool
whole_is(const struct message *m, const struct bytes *want)
{
	struct text whole = message_whole(m);

	return whole.len == want->len && memcmp(whole.p, want->p, want->len) == 0;
}

#define META(more) "\"metadata\":{\"name\":\"n\"" more "}"
#define MANAGED    ",\"managedFields\":[{\"time\":\"2026-11-23T10:15:00Z\",\"manager\":\"m\"}]"
#define HEAD       "{\"apiVersion\":\"v1\",\"kind\":\"K\"," /* and metadata */
#define SPEC       ",\"spec\":{\"metadata\":{\"managedFields\":[1]},\"kind\":\"x\"}}"
#define FULL               \
	HEAD META(MANAGED) \
	SPEC

static void
updated(struct tap *tap)
{
	struct bytes whole;
	struct bytes want;
	struct message m;

	make(&whole, "UpdatedEvent", FULL, FULL, NULL);
	tap_ok(tap, keep(&m, &whole) && m.shrunk == SHRUNK_NONE && whole_is(&m, &whole),
	    "as it came");
	make(&want, "UpdatedEvent", HEAD META(MANAGED) "}", FULL, then_mark);
	tap_ok(
	    tap, message_shrink(&m) == 1 && m.shrunk == SHRUNK_THEN, "an update can be shrunk");
	tap_ok(tap, body_is(&m, &want), "first `then` is apiVersion, kind and metadata");
	tap_ok(tap, whole_is(&m, &whole) && message_cost(&m) > whole.len + want.len,
	    "the whole is kept, and counts");
	make(&want, "UpdatedEvent", HEAD META("") "}", HEAD META("") SPEC, managed_mark);
	tap_ok(tap, message_shrink(&m) == 1 && body_is(&m, &want),
	    "then neither state has managedFields");
	tap_ok(tap,
	    message_shrink(&m) == 0 && body_is(&m, &want) && m.shrunk == SHRUNK_MANAGED_FIELDS,
	    "then there is no more");
	tap_ok(tap, whole_is(&m, &whole) && strcmp(m.key, "c/u") == 0 && m.n_attributes == 3,
	    "key and attributes stay");
	message_free(&m);
}

/* The forms that a message has: their number, and the last of them is as wanted. */
static bool
forms(int number, const char *type, const char *then, const char *now, const char *want_then,
    const char *want_now)
{
	struct bytes whole;
	struct bytes want;
	struct message m;
	bool good;
	int n = 0;

	make(&whole, type, then, now, NULL);
	make(&want, type, want_then, want_now, managed_mark);
	good = keep(&m, &whole);
	while (good && message_shrink(&m) == 1)
		n++;
	good =
	    good && n == number && body_is(&m, n > 0 ? &want : &whole) && whole_is(&m, &whole);
	message_free(&m);
	return good;
}

static void
others(struct tap *tap)
{
	struct bytes whole;
	struct bytes want;
	struct message m;

	tap_ok(tap, forms(1, "CreatedEvent", NULL, FULL, NULL, HEAD META("") SPEC),
	    "a creation has one smaller form");
	tap_ok(tap, forms(2, "DeletedEvent", FULL, NULL, HEAD META("") "}", NULL),
	    "a deletion has two");
	tap_ok(tap,
	    forms(2, "UpdatedEvent", FULL, HEAD META("") SPEC, HEAD META("") "}",
		HEAD META("") SPEC),
	    "managedFields in one state alone");
	/* The second form would be as large: it is none. */
	make(&whole, "UpdatedEvent", HEAD META("") SPEC, HEAD META("") SPEC, NULL);
	make(&want, "UpdatedEvent", HEAD META("") "}", HEAD META("") SPEC, then_mark);
	tap_ok(tap,
	    keep(&m, &whole) && message_shrink(&m) == 1 && message_shrink(&m) == 0 &&
		body_is(&m, &want),
	    "a form that is not smaller is none");
	message_free(&m);
	tap_ok(tap, forms(0, "CreatedEvent", NULL, HEAD META("") SPEC, NULL, NULL),
	    "a creation without managedFields has none");
	tap_ok(tap, forms(0, "DeletedEvent", NULL, NULL, NULL, NULL),
	    "nor has a deletion without a state");
	tap_ok(tap, forms(1, "UpdatedEvent", "", FULL, "", HEAD META("") SPEC),
	    "an empty state is none");
}

static void
shrunk_before(struct tap *tap)
{
	struct bytes whole;
	struct bytes want;
	struct message m;

	make(&whole, "UpdatedEvent", HEAD META(MANAGED) "}", FULL, then_mark);
	make(&want, "UpdatedEvent", HEAD META("") "}", HEAD META("") SPEC, managed_mark);
	tap_ok(tap, keep(&m, &whole) && message_shrink(&m) == 1 && body_is(&m, &want),
	    "one that was shrunk before is marked once");
	message_free(&m);
}

static void
json(struct tap *tap)
{
	tap_ok(tap,
	    forms(1, "CreatedEvent", NULL,
		" { \"a\" : [1 , 2] ,\n\"m\\u0065tadata\" : { \"managed\\u0046ields\" : {} , "
		"\"x\" : \"\\\"managedFields\\\":\" } , \"b\":1 } ",
		NULL,
		"{\"a\" : [1 , 2],\"m\\u0065tadata\" : {\"x\" : "
		"\"\\\"managedFields\\\":\"},\"b\":1}"),
	    "white space and escapes");
	tap_ok(tap,
	    forms(1, "CreatedEvent", NULL, "{\"metadata\":{\"managedFields\":[12345]}}", NULL,
		"{\"metadata\":{}}"),
	    "metadata of nothing else");
	tap_ok(tap,
	    forms(1, "CreatedEvent", NULL,
		"{\"metadata\":{\"managedFields\":1},\"metadata\":{\"managedFields\":22,"
		"\"managedFields\":3}}",
		NULL, "{\"metadata\":{},\"metadata\":{}}"),
	    "members that come twice");
	tap_ok(tap,
	    forms(0, "CreatedEvent", NULL, "{\"metadata\":[\"managedFields\",[1234567]]}", NULL,
		NULL),
	    "metadata that is no object stays");
	tap_ok(tap,
	    forms(2, "DeletedEvent",
		"{\"spec\":1,\"metadata\":{\"managedFields\":[12345]},\"kind\":\"K\"}", NULL,
		"{\"metadata\":{},\"kind\":\"K\"}", NULL),
	    "members in another order, and one that is missing");
}

static void
not_json(struct tap *tap)
{
	static const char *const states[] = {"k8s\x01\x02", "[]", "\"text\"", "null", "{",
	    "{\"metadata\":{\"managedFields\":[1]}", "{\"metadata\":{\"managedFields\":[1]",
	    "{\"metadata\":{", "{\"metadata\"", "{}{\"spec\":1}", "{\"spec\":1,}",
	    "{\"spec\":\"\xff\"}"};
	struct bytes whole;
	struct bytes want;
	struct message m;
	bool good = true;

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		good = good && forms(0, "UpdatedEvent", states[i], FULL, NULL, NULL) &&
		       forms(0, "CreatedEvent", NULL, states[i], NULL, NULL);
	tap_ok(tap, good, "a state that is no JSON object: the message stays as it is");
	make(&whole, "UpdatedEvent", FULL, "no JSON", NULL);
	make(&want, "UpdatedEvent", HEAD META(MANAGED) "}", "no JSON", then_mark);
	tap_ok(tap,
	    keep(&m, &whole) && message_shrink(&m) == 1 && message_shrink(&m) == 0 &&
		body_is(&m, &want),
	    "it is not in the way of the other's form");
	message_free(&m);
	tap_ok(tap, forms(0, "Gone", FULL, FULL, NULL, NULL), "nor is one of another type cut");
}

/* Lengths grow by a byte at 128 and at 16384. */
static void
lengths(struct tap *tap)
{
	static char now[32768];
	static char want[32768];
	bool good = true;

	for (int n = 1; n < 17000 && good; n += n < 400 || n > 15900 ? 1 : 200) {
		snprintf(now, sizeof(now), HEAD META(MANAGED) ",\"spec\":\"%0*d\"}", n, 0);
		snprintf(want, sizeof(want), HEAD META("") ",\"spec\":\"%0*d\"}", n, 0);
		good = forms(2, "UpdatedEvent", now, now, HEAD META("") "}", want) &&
		       forms(1, "CreatedEvent", NULL, now, NULL, want);
	}
	tap_ok(tap, good, "states of every length");
}

int
main(void)
{
	struct tap tap = {0};

	updated(&tap);
	others(&tap);
	shrunk_before(&tap);
	json(&tap);
	not_json(&tap);
	lengths(&tap);
	return tap_done(&tap);
}
