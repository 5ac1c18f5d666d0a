/* SPDX-License-Identifier: Apache-2.0 */
#include "brief.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "kollect/resource/event/v1/event.pb-c.h"

/* How a payload is called, and its colour (ECMA-48 SGR). */
static const struct verb {
	const ProtobufCMessageDescriptor *type;
	const char *name;
	const char *colour;
} verbs[] = {
    {&kollect__resource__event__v1__resource_created_event__descriptor, "created", "\x1b[32m"},
    {&kollect__resource__event__v1__resource_updated_event__descriptor, "updated", "\x1b[33m"},
    {&kollect__resource__event__v1__resource_deleted_event__descriptor, "deleted", "\x1b[31m"},
    {&kollect__resource__event__v1__gap__descriptor, "gap", "\x1b[35m"},
};

#define PLAIN "\x1b[0m"

/* Text from outside: nothing in it reaches the terminal as an order. */
static int
add_text(struct buf *to, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		char shown = c < 0x20 || c == 0x7f ? '?' : *text;

		if (buf_add(to, &shown, 1) == -1)
			return -1;
	}
	return 0;
}

static int
add_time(struct buf *to, const Google__Protobuf__Timestamp *timestamp)
{
	time_t t = timestamp != NULL ? (time_t)timestamp->seconds : 0;
	struct tm tm;

	if (timestamp == NULL || gmtime_r(&t, &tm) == NULL)
		return buf_addstr(to, "---------- --:--:-- ");
	return buf_printf(to, "%04d-%02d-%02d %02d:%02d:%02d ", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static const struct verb *
verb_of(const char *type_url)
{
	const char *slash = strrchr(type_url, '/');
	const char *name = slash != NULL ? slash + 1 : type_url;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].type->name, name) == 0)
			return &verbs[i];
	return NULL;
}

static int
add_verb(struct buf *to, const Google__Protobuf__Any *payload, bool colour)
{
	const struct verb *verb = payload != NULL ? verb_of(payload->type_url) : NULL;

	if (verb == NULL)
		return add_text(to, payload != NULL ? payload->type_url : "(no payload)");
	if (colour)
		return buf_printf(to, "%s%s" PLAIN, verb->colour, verb->name);
	return buf_addstr(to, verb->name);
}

/* One of a gap's two resourceVersions, where it is known. */
static int
add_bound(struct buf *to, const char *word, const char *version)
{
	if (*version == '\0')
		return 0;
	return buf_addstr(to, word) == -1 ? -1 : add_text(to, version);
}

static int
add_gap(struct buf *to, const Google__Protobuf__Any *payload)
{
	Kollect__Resource__Event__V1__Gap *gap = kollect__resource__event__v1__gap__unpack(
	    NULL, payload->value.len, payload->value.data);
	int bad;

	if (gap == NULL)
		return 0;
	bad = buf_addstr(to, " ") == -1 ||
	      add_text(to, *gap->stream != '\0' ? gap->stream : "of the whole cluster") == -1 ||
	      add_bound(to, " from ", gap->from) == -1 ||
	      add_bound(to, " to ", gap->to) == -1 || buf_addstr(to, ": ") == -1 ||
	      add_text(to, gap->reason) == -1;
	kollect__resource__event__v1__gap__free_unpacked(gap, NULL);
	return bad ? -1 : 0;
}

static int
add_reference(struct buf *to, const Kollect__Event__V1__Reference *r)
{
	if (buf_addstr(to, " ") == -1 || add_text(to, r->kind) == -1 ||
	    buf_addstr(to, " ") == -1)
		return -1;
	if (*r->namespace_ != '\0' &&
	    (add_text(to, r->namespace_) == -1 || buf_addstr(to, "/") == -1))
		return -1;
	if (add_text(to, r->name) == -1)
		return -1;
	if (*r->manager == '\0')
		return 0;
	return buf_addstr(to, " by ") == -1 ? -1 : add_text(to, r->manager);
}

static int
add_collapsed(struct buf *to, uint64_t n)
{
	return n == 0 ? 0 : buf_printf(to, " (and %" PRIu64 " collapsed)", n);
}

int
brief_print(struct buf *to, const Kollect__Event__V1__Envelope *envelope, bool colour)
{
	const Google__Protobuf__Any *payload = envelope->payload;
	const Google__Protobuf__Timestamp *when =
	    envelope->applies_at != NULL ? envelope->applies_at : envelope->timestamp;

	if (add_time(to, when) == -1 || add_verb(to, payload, colour) == -1)
		return -1;
	if (envelope->reference != NULL)
		return add_reference(to, envelope->reference) == -1
			   ? -1
			   : add_collapsed(to, envelope->collapsed);
	if (payload != NULL && strstr(payload->type_url, "v1.Gap") != NULL)
		return add_gap(to, payload);
	return buf_addstr(to, " ") == -1 ? -1 : add_text(to, envelope->id);
}
