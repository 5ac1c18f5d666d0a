/* SPDX-License-Identifier: Apache-2.0 */
#include "change.h"

#include <errno.h>
#include <string.h>

#include "fingerprint.h"
#include "managed.h"
#include "record.h"
#include "rv.h"

/* The object at hand, its strings without escapes. */
struct subject {
	const struct object *object;
	struct bytes uid;
	struct bytes api_version;
	struct bytes kind_part;
	struct bytes ns;
	struct bytes name;
	struct bytes version;
	struct uid_key key;
	struct kind *kind;
	struct stream *stream; /* NULL: none is known to bring such objects */
};

/* The string without its escapes: within the text when it has none, else in k->plain[i]. */
static int
plain(struct kdiff *k, int i, const struct json_str *str, struct bytes *out)
{
	struct buf *buf = &k->plain[i];

	*out = (struct bytes){str->p, str->len};
	if (str->p == NULL || !str->escaped)
		return 0;
	buf->len = 0;
	if (buf_reserve(buf, str->len) == NULL) {
		log_error(&k->tool.log, "no memory for a string of %zu bytes", str->len);
		return -1;
	}
	*out = (struct bytes){buf->data, json_unescape(str, buf->data)};
	return 0;
}

static const char *
missing(const struct object *o)
{
	if (o->uid.p == NULL || o->uid.len == 0)
		return "the object has no metadata.uid";
	if (o->name.p == NULL || o->name.len == 0)
		return "the object has no metadata.name";
	if (o->resource_version.p == NULL || o->resource_version.len == 0)
		return "the object has no metadata.resourceVersion";
	if (o->kind.p == NULL || o->kind.len == 0)
		return "the object has no kind";
	if (o->api_version.p == NULL || o->api_version.len == 0)
		return "the object has no apiVersion";
	return NULL;
}

static enum change_result
subject_of(struct kdiff *k, const struct object *o, struct subject *s, const char **why)
{
	*why = missing(o);
	if (*why != NULL)
		return CHANGE_BAD;
	*s = (struct subject){.object = o};
	if (plain(k, 0, &o->uid, &s->uid) == -1 ||
	    plain(k, 1, &o->api_version, &s->api_version) == -1 ||
	    plain(k, 2, &o->kind, &s->kind_part) == -1 || plain(k, 3, &o->ns, &s->ns) == -1 ||
	    plain(k, 4, &o->name, &s->name) == -1 ||
	    plain(k, 5, &o->resource_version, &s->version) == -1)
		return CHANGE_FAILED;
	if (s->version.len > STREAM_VERSION_MAX || s->kind_part.len > 256 ||
	    s->api_version.len > 128 || s->ns.len > UINT16_MAX || s->name.len > UINT16_MAX ||
	    uid_key_of(s->uid, &s->key) == -1) {
		*why = "the object's uid, name, kind or resourceVersion is too long";
		return CHANGE_BAD;
	}
	s->kind = streams_of(k->streams, s->api_version, s->kind_part, s->ns, &s->stream);
	return s->kind == NULL ? CHANGE_FAILED : CHANGE_OK;
}

/* Assigns the sequence number, writes the line, counts it. */
static int
emit(struct kdiff *k, struct record *r)
{
	r->seq = store_seq(k->store) + 1;
	r->observed_at = k->observed;
	if (r->ns.len == 0)
		r->ns.p = NULL;
	if (record_write(r, &k->records) == -1) {
		log_error(&k->tool.log, "cannot write the record of %.*s %.*s: %s",
		    (int)r->kind.len, r->kind.p, (int)r->name.len, r->name.p, strerror(errno));
		return -1;
	}
	store_set_seq(k->store, r->seq);
	k->count[COUNT_CREATED_RECORDS + r->type].value++;
	return 0;
}

static struct record
record_of(const struct object *o, enum record_type type)
{
	return (struct record){
	    .type = type,
	    .uid = o->uid,
	    .api_version = o->api_version,
	    .kind = o->kind,
	    .ns = o->ns,
	    .name = o->name,
	    .resource_version = o->resource_version,
	};
}

/* The object becomes what the store knows; hash as fingerprint has it. Until a mark has named
 * the stream that brings it, it stays with the one that it was seen in before (before: NULL, or
 * what is known). */
static int
learn(struct kdiff *k, const struct subject *s, const uint64_t hash[2],
    const struct known *before)
{
	struct bytes state = {s->object->bytes.p, s->object->bytes.len};
	struct known known = {
	    .hash = {hash[0], hash[1]},
	    .kind = kind_id(s->kind),
	    .stream = before != NULL ? before->stream : 0,
	    .snapshot = before != NULL ? before->snapshot : 0,
	    .size = state.len,
	    .resource_version = s->version,
	    .ns = s->ns,
	    .name = s->name,
	};

	if (s->stream != NULL) {
		known.stream = s->stream->id;
		known.snapshot = s->stream->snapshot;
	}
	if (kinds_pack(k->kinds, s->kind, state, &known.packed, &known.dictionary) == -1)
		return -1;
	return store_put(k->store, &s->key, &known);
}

/* A live event moves its stream's position on; those of a snapshot come in no order. */
static void
advance(const struct subject *s)
{
	struct bytes at;

	if (s->stream == NULL || s->stream->in_snapshot)
		return;
	at = stream_version(s->stream);
	if (at.len == 0 || rv_compare(s->version, at) != RV_OLDER)
		stream_advance(s->stream, s->version);
}

/* Has the stream already been past this version? Then the event is an old one come again. */
static bool
behind_stream(const struct subject *s)
{
	enum rv_order order;
	struct bytes at;

	if (s->stream == NULL || s->stream->in_snapshot)
		return false;
	at = stream_version(s->stream);
	if (at.len == 0)
		return false;
	order = rv_compare(s->version, at);
	return order == RV_OLDER || order == RV_EQUAL;
}

int
change_vanished(struct kdiff *k, const struct kind *kind, const struct uid_key *uid,
    const struct known *known)
{
	struct object o;
	struct record r;
	const char *why;
	size_t at;

	if (kinds_unpack(k->kinds, known, &k->state_text) == -1)
		return -1;
	if (object_scan(k->state_text.data, k->state_text.len, &o, &why, &at) == -1) {
		log_error(&k->tool.log, "%s: a state in the store is damaged: %s",
		    kind_name(kind), why);
		return -1;
	}
	r = record_of(&o, RECORD_DELETED);
	r.applies_at = o.deletion;
	r.then = (struct bytes){o.bytes.p, o.bytes.len};
	if (emit(k, &r) == -1 ||
	    store_name_remove(k->store, kind_id(kind), known->ns, known->name, uid) == -1)
		return -1;
	return store_remove(k->store, uid);
}

static int
forget(struct kdiff *k, const struct subject *s, const struct known *known)
{
	if (store_name_remove(k->store, known->kind, known->ns, known->name, &s->key) == -1)
		return -1;
	return store_remove(k->store, &s->key);
}

/* The name may still lead to another object, deleted unseen: that comes first. *stale: the
 * event is older than what stands under the name. */
static int
make_way(struct kdiff *k, const struct subject *s, bool *stale)
{
	struct uid_key other;
	struct known known;
	int have = store_name_get(k->store, kind_id(s->kind), s->ns, s->name, &other);

	*stale = false;
	if (have == 1)
		have = store_get(k->store, &other, &known);
	if (have != 1)
		return have;
	if (rv_compare(s->version, known.resource_version) == RV_OLDER) {
		*stale = true;
		return 0;
	}
	return change_vanished(k, s->kind, &other, &known);
}

static int
created(struct kdiff *k, const struct subject *s)
{
	const struct object *o = s->object;
	struct record r = record_of(o, RECORD_CREATED);
	uint64_t hash[2];
	bool stale;

	if (behind_stream(s)) {
		k->count[COUNT_STALE].value++;
		return 0;
	}
	if (make_way(k, s, &stale) == -1)
		return -1;
	if (stale) {
		k->count[COUNT_STALE].value++;
		return 0;
	}
	if (k->baseline && s->stream != NULL && s->stream->in_snapshot &&
	    !s->stream->complete) {
		k->count[COUNT_LEARNED].value++;
	} else {
		r.applies_at = o->creation;
		r.manager = managed_creation(o->managed_fields, o->creation).manager;
		r.now = (struct bytes){o->bytes.p, o->bytes.len};
		if (emit(k, &r) == -1)
			return -1;
	}
	fingerprint(o, hash);
	if (learn(k, s, hash, NULL) == -1 ||
	    store_name_put(k->store, kind_id(s->kind), s->ns, s->name, &s->key) == -1)
		return -1;
	return kinds_count(k->kinds, s->kind);
}

/* The object is known under another kind's group (one object, served by two groups) or, in
 * theory, another name: the name it now has leads to it. */
static int
rename_known(struct kdiff *k, const struct subject *s, const struct known *known)
{
	if (known->kind == kind_id(s->kind) && known->ns.len == s->ns.len &&
	    known->name.len == s->name.len &&
	    (s->ns.len == 0 || memcmp(known->ns.p, s->ns.p, s->ns.len) == 0) &&
	    memcmp(known->name.p, s->name.p, s->name.len) == 0)
		return 0;
	if (store_name_remove(k->store, known->kind, known->ns, known->name, &s->key) == -1)
		return -1;
	return store_name_put(k->store, kind_id(s->kind), s->ns, s->name, &s->key);
}

static int
replace(
    struct kdiff *k, const struct subject *s, const uint64_t hash[2], const struct known *known)
{
	struct known before = *known; /* its numbers: its ranges go with the first change */

	return rename_known(k, s, known) == -1 ? -1 : learn(k, s, hash, &before);
}

/* The snapshot in which the object was seen last is that of the stream that brings it now. When
 * that is a stream of another kind (one object, served by two groups), the object goes over to
 * it with all: its deletion will show there. */
static int
seen(struct kdiff *k, const struct subject *s, const struct known *known)
{
	uint64_t hash[2];

	if (s->stream == NULL ||
	    (known->stream == s->stream->id && known->snapshot == s->stream->snapshot))
		return 0;
	if (known->kind == kind_id(s->kind))
		return store_mark_seen(k->store, &s->key, s->stream->id, s->stream->snapshot);
	fingerprint(s->object, hash);
	return replace(k, s, hash, known);
}

static int
updated(struct kdiff *k, const struct subject *s, const struct known *known)
{
	struct record r = record_of(s->object, RECORD_UPDATED);
	struct managed source;
	struct object then;
	uint64_t hash[2];
	const char *why;
	size_t at;

	fingerprint(s->object, hash);
	if (k->ignore_metadata && hash[0] == known->hash[0] && hash[1] == known->hash[1]) {
		k->count[COUNT_IGNORED].value++;
		return replace(k, s, hash, known);
	}
	/* The kind that it was packed as may be another: one object, served by two groups. */
	if (kinds_unpack(k->kinds, known, &k->state_text) == -1)
		return -1;
	if (object_scan(k->state_text.data, k->state_text.len, &then, &why, &at) == -1) {
		log_error(&k->tool.log, "%s: a state in the store is damaged: %s",
		    kind_name(s->kind), why);
		return -1;
	}
	source = managed_update(then.managed_fields, s->object->managed_fields);
	r.applies_at = source.time;
	r.manager = source.manager;
	r.then = (struct bytes){k->state_text.data, k->state_text.len};
	r.now = (struct bytes){s->object->bytes.p, s->object->bytes.len};
	return emit(k, &r) == -1 ? -1 : replace(k, s, hash, known);
}

/* An ADDED or MODIFIED: what it means depends on what is known alone. */
static int
exists(struct kdiff *k, const struct subject *s)
{
	struct known known;
	int have = store_get(k->store, &s->key, &known);
	enum rv_order order;
	int result;

	if (have == -1)
		return -1;
	order = have == 1 ? rv_compare(s->version, known.resource_version) : RV_NEWER;
	if (have == 0) {
		result = created(k, s);
	} else if (order == RV_EQUAL) {
		k->count[COUNT_UNCHANGED].value++;
		result = seen(k, s, &known);
	} else if (order == RV_OLDER && (s->stream == NULL || !s->stream->in_snapshot)) {
		k->count[COUNT_STALE].value++;
		/* Its state is not taken, but that it exists is true. */
		result = known.kind == kind_id(s->kind) ? seen(k, s, &known) : 0;
	} else {
		/* Newer, or older and yet in a snapshot, which never goes back unless the
		 * cluster did: a backup of etcd was restored, and this is how things are now.
		 */
		result = updated(k, s, &known);
	}
	advance(s);
	return result;
}

static int
deleted(struct kdiff *k, const struct subject *s)
{
	const struct object *o = s->object;
	struct record r = record_of(o, RECORD_DELETED);
	struct known known;
	int have = store_get(k->store, &s->key, &known);
	bool stale;

	if (have == -1)
		return -1;
	/* Of a stream that has had its snapshot all objects are known: one that is not has been
	 * deleted before, as by the event of another group that serves it. */
	stale = have == 1 ? rv_compare(s->version, known.resource_version) == RV_OLDER
			  : behind_stream(s) || (s->stream != NULL && s->stream->complete);
	if (stale) {
		k->count[COUNT_STALE].value++;
		return 0;
	}
	r.applies_at = o->deletion;
	r.then = (struct bytes){o->bytes.p, o->bytes.len};
	if (emit(k, &r) == -1 || (have == 1 && forget(k, s, &known) == -1))
		return -1;
	advance(s);
	return 0;
}

enum change_result
change_apply(
    struct kdiff *k, enum event_type type, const struct object *object, const char **why)
{
	struct subject s;
	enum change_result result;

	if (batch_room(k, object->bytes.len) == -1)
		return CHANGE_FAILED;
	result = subject_of(k, object, &s, why);
	if (result != CHANGE_OK)
		return result;
	return (type == EVENT_DELETED ? deleted(k, &s) : exists(k, &s)) == -1 ? CHANGE_FAILED
									      : CHANGE_OK;
}
