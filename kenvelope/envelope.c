/* SPDX-License-Identifier: Apache-2.0 */
/* protobuf-c packs all but the objects' bytes; those are appended as fields of their own behind
 * it, so that they are copied once. Fields may stand in any order and a message may be packed in
 * pieces: https://protobuf.dev/programming-guides/encoding/#order
 *
 *	length | Envelope's small fields | payload: type_url, value: uid, cluster_id | then | now
 */
#include "envelope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event_id.h"
#include "frames.h"
#include "input.h"
#include "kollect/event/v1/event.pb-c.h"
#include "kollect/resource/event/v1/event.pb-c.h"

typedef Kollect__Event__V1__Envelope Envelope;
typedef Kollect__Event__V1__Reference Reference;
typedef Google__Protobuf__Timestamp Timestamp;

enum { LENGTH_DELIMITED = 2, TAG_MAX = 5 };

enum {
	ENVELOPE_PAYLOAD = 4,
	ANY_TYPE_URL = 1,
	ANY_VALUE = 2,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TYPE_URL "type.googleapis.com/kollect.resource.event.v1."

static const char *const type_urls[RECORD_TYPES] = {
    [RECORD_CREATED] = TYPE_URL "ResourceCreatedEvent",
    [RECORD_UPDATED] = TYPE_URL "ResourceUpdatedEvent",
    [RECORD_DELETED] = TYPE_URL "ResourceDeletedEvent",
    [RECORD_GAP] = TYPE_URL "Gap",
};

/* Numbers of the bytes fields in the payloads; 0: the payload has none. */
static const struct {
	unsigned then;
	unsigned now;
} object_fields[RECORD_TYPES] = {
    [RECORD_CREATED] = {.now = 2},
    [RECORD_UPDATED] = {.then = 2, .now = 3},
    [RECORD_DELETED] = {.then = 16},
};

struct envelope {
	struct event_id *ids;
	struct buf text; /* the record's strings, unescaped and ended by NUL */
	struct buf head; /* what goes before the first object */
};

/* A bytes field: its tag and length, ready to be written, and the bytes. */
struct field {
	uint8_t head[TAG_MAX + FRAME_HEADER_MAX];
	size_t head_len;
	struct json_range bytes; /* p NULL: the field is absent */
};

/* The record's strings as protobuf-c takes them. */
struct strings {
	char *uid;
	char *group; /* points into version's room: not one of its own */
	char *version;
	char *kind;
	char *ns;
	char *name;
	char *resource_version;
	char *manager;
	char *cluster_id;
	char *stream;
	char *from;
	char *to;
	char *reason;
	char *observed; /* as it stands in the record */
};

struct envelope *
envelope_open(void)
{
	struct envelope *env = calloc(1, sizeof(*env));

	if (env == NULL)
		return NULL;
	buf_init(&env->text, INPUT_MAX);
	buf_init(&env->head, INPUT_MAX);
	errno = 0;
	env->ids = event_id_open();
	if (env->ids == NULL) {
		envelope_close(env);
		return NULL;
	}
	return env;
}

void
envelope_close(struct envelope *env)
{
	if (env == NULL)
		return;
	event_id_close(env->ids);
	buf_free(&env->text);
	buf_free(&env->head);
	free(env);
}

static size_t
head_of(unsigned number, size_t len, uint8_t *out)
{
	size_t n = frame_header((uint64_t)number << 3 | LENGTH_DELIMITED, out);

	return n + frame_header(len, out + n);
}

static struct field
field_of(unsigned number, struct json_range bytes)
{
	struct field field = {.bytes = bytes};

	if (number == 0)
		field.bytes = (struct json_range){NULL, 0};
	else
		field.head_len = head_of(number, bytes.len, field.head);
	return field;
}

/* The string without escapes, ended by NUL, in env->text, where there is room for it. */
static char *
take(struct envelope *env, const struct json_str *str)
{
	char *to = env->text.data + env->text.len;
	size_t n = str->len;

	if (!str->escaped) {
		if (n > 0)
			memcpy(to, str->p, n);
	} else {
		n = json_unescape(str, to);
	}
	to[n] = '\0';
	env->text.len += n + 1;
	return to;
}

/* 0, or -1 with errno. */
static int
take_all(
    struct envelope *env, const struct record *r, const char *cluster_id, struct strings *s)
{
	struct json_str cluster = {cluster_id, strlen(cluster_id), false};
	size_t room = r->uid.len + r->api_version.len + r->kind.len + r->ns.len + r->name.len +
		      r->resource_version.len + r->manager.len + cluster.len + r->stream.len +
		      r->from.len + r->to.len + r->reason.len + r->observed_text.len;
	char *slash;

	env->text.len = 0;
	if (buf_reserve(&env->text, room + sizeof(*s) / sizeof(s->uid)) == NULL)
		return -1;
	s->uid = take(env, &r->uid);
	s->version = take(env, &r->api_version);
	s->kind = take(env, &r->kind);
	s->ns = take(env, &r->ns);
	s->name = take(env, &r->name);
	s->resource_version = take(env, &r->resource_version);
	s->manager = take(env, &r->manager);
	s->cluster_id = take(env, &cluster);
	s->stream = take(env, &r->stream);
	s->from = take(env, &r->from);
	s->to = take(env, &r->to);
	s->reason = take(env, &r->reason);
	s->observed = take(env, &r->observed_text);
	s->group = s->version + strlen(s->version); /* the core group: none */
	slash = strchr(s->version, '/');
	if (slash != NULL) {
		*slash = '\0';
		s->group = s->version;
		s->version = slash + 1;
	}
	return 0;
}

/* Packs message into the head, behind what is there. */
static int
pack(struct buf *head, const ProtobufCMessage *message)
{
	char *to = buf_reserve(head, protobuf_c_message_get_packed_size(message));

	if (to == NULL)
		return -1;
	head->len += protobuf_c_message_pack(message, (uint8_t *)to);
	return 0;
}

/* The Envelope without its payload. */
static int
pack_envelope(struct envelope *env, const struct record *r, const struct strings *s, char *id)
{
	Timestamp observed;
	Timestamp applies;
	Reference reference;
	Envelope envelope;

	google__protobuf__timestamp__init(&observed);
	google__protobuf__timestamp__init(&applies);
	kollect__event__v1__reference__init(&reference);
	kollect__event__v1__envelope__init(&envelope);
	observed.seconds = r->observed_at.tv_sec;
	observed.nanos = (int32_t)r->observed_at.tv_nsec;
	applies.seconds = r->applies_at.tv_sec;
	applies.nanos = (int32_t)r->applies_at.tv_nsec;
	reference.group = s->group;
	reference.version = s->version;
	reference.kind = s->kind;
	reference.namespace_ = s->ns;
	reference.name = s->name;
	reference.resource_version = s->resource_version;
	reference.manager = s->manager;
	envelope.id = id;
	envelope.timestamp = &observed;
	envelope.applies_at = &applies;
	envelope.seq = r->seq;
	envelope.observed_at = &observed;
	envelope.reference = r->type != RECORD_GAP ? &reference : NULL;
	envelope.collapsed = r->collapsed;
	return pack(&env->head, &envelope.base);
}

/* The payload's strings, tag and length included. Their numbers differ by type, so each is
 * packed by the message that it is in. */
static int
pack_event(struct buf *to, enum record_type type, const struct strings *s)
{
	Kollect__Resource__Event__V1__ResourceCreatedEvent created;
	Kollect__Resource__Event__V1__ResourceUpdatedEvent updated;
	Kollect__Resource__Event__V1__ResourceDeletedEvent deleted;
	Kollect__Resource__Event__V1__Gap gap;

	switch (type) {
	case RECORD_CREATED:
		kollect__resource__event__v1__resource_created_event__init(&created);
		created.uid = s->uid;
		created.cluster_id = s->cluster_id;
		return pack(to, &created.base);
	case RECORD_UPDATED:
		kollect__resource__event__v1__resource_updated_event__init(&updated);
		updated.uid = s->uid;
		updated.cluster_id = s->cluster_id;
		return pack(to, &updated.base);
	case RECORD_GAP:
		kollect__resource__event__v1__gap__init(&gap);
		gap.stream = s->stream;
		gap.from = s->from;
		gap.to = s->to;
		gap.reason = s->reason;
		gap.cluster_id = s->cluster_id;
		return pack(to, &gap.base);
	default:
		kollect__resource__event__v1__resource_deleted_event__init(&deleted);
		deleted.uid = s->uid;
		deleted.cluster_id = s->cluster_id;
		return pack(to, &deleted.base);
	}
}

static int
write_field(struct out *out, const struct field *field)
{
	if (field->bytes.p == NULL)
		return 0;
	if (out_add(out, field->head, field->head_len) == -1)
		return -1;
	return out_add(out, field->bytes.p, field->bytes.len);
}

/* Lays the pieces out: the sizes first, from the inside, then the bytes from the outside. */
static enum envelope_result
write_frame(
    struct envelope *env, const struct record *r, const struct strings *s, struct out *out)
{
	const char *url = type_urls[r->type];
	struct field then = field_of(object_fields[r->type].then, r->then);
	struct field now = field_of(object_fields[r->type].now, r->now);
	uint8_t url_head[TAG_MAX + FRAME_HEADER_MAX];
	uint8_t value_head[TAG_MAX + FRAME_HEADER_MAX];
	uint8_t payload_head[TAG_MAX + FRAME_HEADER_MAX];
	uint8_t frame[FRAME_HEADER_MAX];
	size_t small = env->head.len; /* the Envelope's small fields, then the payload's */
	size_t value, url_n, value_n, payload, payload_n, total;

	if (pack_event(&env->head, r->type, s) == -1)
		return ENVELOPE_FAILED;
	value = env->head.len - small + then.head_len + then.bytes.len + now.head_len +
		now.bytes.len;
	url_n = head_of(ANY_TYPE_URL, strlen(url), url_head);
	value_n = head_of(ANY_VALUE, value, value_head);
	payload = url_n + strlen(url) + value_n + value;
	payload_n = head_of(ENVELOPE_PAYLOAD, payload, payload_head);
	total = small + payload_n + payload;
	if (total > INPUT_MAX)
		return ENVELOPE_TOO_LARGE;
	if (out_add(out, frame, frame_header(total, frame)) == -1 ||
	    out_add(out, env->head.data, small) == -1 ||
	    out_add(out, payload_head, payload_n) == -1 ||
	    out_add(out, url_head, url_n) == -1 || out_add(out, url, strlen(url)) == -1 ||
	    out_add(out, value_head, value_n) == -1 ||
	    out_add(out, env->head.data + small, env->head.len - small) == -1 ||
	    write_field(out, &then) == -1 || write_field(out, &now) == -1)
		return ENVELOPE_FAILED;
	return ENVELOPE_OK;
}

static int
make_id(struct envelope *env, const struct record *r, const struct strings *s,
    char id[EVENT_ID_SIZE])
{
	const char *const change[] = {
	    s->cluster_id, s->uid, s->resource_version, record_type_name(r->type)};
	const char *const gap[] = {
	    s->cluster_id, s->stream, s->from, s->to, record_type_name(r->type), s->observed};

	if (r->type != RECORD_GAP)
		return event_id_make(env->ids, change, COUNT(change), id);
	return event_id_make(env->ids, gap, COUNT(gap) - (*s->stream != '\0'), id);
}

enum envelope_result
envelope_write(
    struct envelope *env, const struct record *record, const char *cluster_id, struct out *out)
{
	struct strings s;
	char id[EVENT_ID_SIZE];

	env->head.len = 0;
	errno = 0;
	if (take_all(env, record, cluster_id, &s) == -1 || make_id(env, record, &s, id) == -1 ||
	    pack_envelope(env, record, &s, id) == -1)
		return ENVELOPE_FAILED;
	return write_frame(env, record, &s, out);
}
