/* SPDX-License-Identifier: Apache-2.0 */
#include "change.h"

#include <string.h>

#include "batch.h"
#include "emit.h"
#include "fingerprint.h"
#include "managed.h"
#include "rv.h"
#include "subject.h"

/* What one huge state took is given back. */
enum { STATE_KEEP = 1024 * 1024 };

static struct record
record_of(const struct object *o)
{
	return (struct record){
	    .uid = o->uid,
	    .api_version = o->api_version,
	    .kind = o->kind,
	    .ns = o->ns,
	    .name = o->name,
	    .resource_version = o->resource_version,
	};
}

/* The object, in the state given and with that hash, becomes what the store knows; seq: of its
 * last record. Until a mark has named the stream that brings it, it stays with the one that it
 * was seen in before (before: NULL, or what is known). */
static int
learn(struct kdiff *k, const struct subject *s, const struct packed *state,
    const uint64_t hash[2], uint64_t seq, const struct known *before)
{
	struct known known = {
	    .hash = {hash[0], hash[1]},
	    .seq = seq,
	    .stream = before != NULL ? before->stream : 0,
	    .snapshot = before != NULL ? before->snapshot : 0,
	    .resource_version = s->version,
	    .ns = s->ns,
	    .name = s->name,
	    .state = *state,
	};

	if (s->stream != NULL) {
		known.stream = s->stream->id;
		known.snapshot = s->stream->snapshot;
	}
	return store_put(k->store, &s->key, &known);
}

static int
pack(struct kdiff *k, const struct subject *s, struct packed *state)
{
	struct bytes text = {s->object->bytes.p, s->object->bytes.len};

	return kinds_pack(k->kinds, s->kind, text, state);
}

int
change_vanished(struct kdiff *k, const struct kind *kind, const struct uid_key *uid,
    const struct known *known)
{
	struct emission e = {
	    .type = RECORD_DELETED, .packed_then = known->state, .last = known->seq};
	struct object o;
	struct record r;
	const char *why;
	size_t at;

	k->state_text.len = 0;
	buf_shrink(&k->state_text, STATE_KEEP);
	if (kinds_unpack(k->kinds, &known->state, &k->state_text) == -1)
		return -1;
	if (object_scan(k->state_text.data, k->state_text.len, &o, &why, &at) == -1)
		return store_damaged(k->store, "a state");
	r = record_of(&o);
	r.applies_at = o.deletion;
	e.record = &r;
	e.then = (struct bytes){o.bytes.p, o.bytes.len};
	if (emit_change(k, &e) == -1 ||
	    store_name_remove(k->store, kind_id(kind), known->ns, known->name, uid) == -1)
		return -1;
	return store_remove(k->store, uid);
}

static int
forget(struct kdiff *k, const struct subject *s, const struct known *known)
{
	if (store_name_remove(k->store, known->state.kind, known->ns, known->name, &s->key) ==
	    -1)
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
emit_created(struct kdiff *k, const struct subject *s, const struct packed *state)
{
	const struct object *o = s->object;
	struct record r = record_of(o);
	struct emission e = {
	    .type = RECORD_CREATED,
	    .record = &r,
	    .now = {o->bytes.p, o->bytes.len},
	    .packed_now = *state,
	};

	r.applies_at = o->creation;
	r.manager = managed_creation(o->managed_fields, o->creation).manager;
	return emit_change(k, &e);
}

static int
created(struct kdiff *k, const struct subject *s)
{
	struct packed state;
	uint64_t hash[2];
	uint64_t seq = 0;
	bool stale = subject_behind_stream(s);

	if (!stale && make_way(k, s, &stale) == -1)
		return -1;
	if (stale) {
		k->count[COUNT_STALE].value++;
		return 0;
	}
	if (pack(k, s, &state) == -1)
		return -1;
	if (k->baseline && s->stream != NULL && s->stream->in_snapshot &&
	    !s->stream->complete) {
		k->count[COUNT_LEARNED].value++;
	} else {
		if (emit_created(k, s, &state) == -1)
			return -1;
		seq = store_seq(k->store);
	}
	fingerprint(s->object, hash);
	if (learn(k, s, &state, hash, seq, NULL) == -1 ||
	    store_name_put(k->store, kind_id(s->kind), s->ns, s->name, &s->key) == -1)
		return -1;
	return kinds_count(k->kinds, s->kind);
}

/* The object is known under another kind's group (one object, served by two groups) or, in
 * theory, another name: the name it now has leads to it. */
static int
rename_known(struct kdiff *k, const struct subject *s, const struct known *known)
{
	if (known->state.kind == kind_id(s->kind) && known->ns.len == s->ns.len &&
	    known->name.len == s->name.len &&
	    (s->ns.len == 0 || memcmp(known->ns.p, s->ns.p, s->ns.len) == 0) &&
	    memcmp(known->name.p, s->name.p, s->name.len) == 0)
		return 0;
	if (store_name_remove(k->store, known->state.kind, known->ns, known->name, &s->key) ==
	    -1)
		return -1;
	return store_name_put(k->store, kind_id(s->kind), s->ns, s->name, &s->key);
}

static int
replace(struct kdiff *k, const struct subject *s, const struct packed *state,
    const uint64_t hash[2], uint64_t seq, const struct known *known)
{
	return rename_known(k, s, known) == -1 ? -1 : learn(k, s, state, hash, seq, known);
}

/* The snapshot in which the object was seen last is that of the stream that brings it now. When
 * that is a stream of another kind (one object, served by two groups), the object goes over to
 * it with all: its deletion will show there. */
static int
seen(struct kdiff *k, const struct subject *s, const struct known *known)
{
	struct packed state;
	uint64_t hash[2];

	if (s->stream == NULL ||
	    (known->stream == s->stream->id && known->snapshot == s->stream->snapshot))
		return 0;
	if (known->state.kind == kind_id(s->kind))
		return store_mark_seen(k->store, &s->key, s->stream->id, s->stream->snapshot);
	fingerprint(s->object, hash);
	return pack(k, s, &state) == -1 ? -1 : replace(k, s, &state, hash, known->seq, known);
}

static int
emit_updated(struct kdiff *k, const struct subject *s, const struct known *known,
    const struct packed *state)
{
	const struct object *o = s->object;
	struct record r = record_of(o);
	struct emission e = {
	    .type = RECORD_UPDATED,
	    .record = &r,
	    .now = {o->bytes.p, o->bytes.len},
	    .packed_then = known->state,
	    .packed_now = *state,
	    .last = known->seq,
	};
	struct managed source;
	struct object then;
	const char *why;
	size_t at;

	/* The kind that it was packed as may be another: one object, served by two groups. */
	k->state_text.len = 0;
	buf_shrink(&k->state_text, STATE_KEEP);
	if (kinds_unpack(k->kinds, &known->state, &k->state_text) == -1)
		return -1;
	if (object_scan(k->state_text.data, k->state_text.len, &then, &why, &at) == -1)
		return store_damaged(k->store, "a state");
	source = managed_update(then.managed_fields, o->managed_fields);
	r.applies_at = source.time;
	r.manager = source.manager;
	e.then = (struct bytes){k->state_text.data, k->state_text.len};
	return emit_change(k, &e);
}

static int
updated(struct kdiff *k, const struct subject *s, const struct known *known)
{
	struct packed state;
	uint64_t hash[2];

	fingerprint(s->object, hash);
	if (pack(k, s, &state) == -1)
		return -1;
	if (k->ignore_metadata && hash[0] == known->hash[0] && hash[1] == known->hash[1]) {
		k->count[COUNT_IGNORED].value++;
		return replace(k, s, &state, hash, known->seq, known);
	}
	if (emit_updated(k, s, known, &state) == -1)
		return -1;
	return replace(k, s, &state, hash, store_seq(k->store), known);
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
		result = known.state.kind == kind_id(s->kind) ? seen(k, s, &known) : 0;
	} else {
		/* Newer, or older and yet in a snapshot, which never goes back unless the
		 * cluster did: a backup of etcd was restored, and this is how things are now.
		 */
		result = updated(k, s, &known);
	}
	subject_advance(s);
	return result;
}

static int
deleted(struct kdiff *k, const struct subject *s)
{
	const struct object *o = s->object;
	struct record r = record_of(o);
	struct emission e = {
	    .type = RECORD_DELETED,
	    .record = &r,
	    .then = {o->bytes.p, o->bytes.len},
	    .kind = s->kind,
	};
	struct known known;
	int have = store_get(k->store, &s->key, &known);
	bool stale;

	if (have == -1)
		return -1;
	/* Of a stream that has had its snapshot all objects are known: one that is not has been
	 * deleted before, as by the event of another group that serves it. */
	stale = have == 1
		    ? rv_compare(s->version, known.resource_version) == RV_OLDER
		    : subject_behind_stream(s) || (s->stream != NULL && s->stream->complete);
	if (stale) {
		k->count[COUNT_STALE].value++;
		return 0;
	}
	r.applies_at = o->deletion;
	e.last = have == 1 ? known.seq : 0;
	if (emit_change(k, &e) == -1 || (have == 1 && forget(k, s, &known) == -1))
		return -1;
	subject_advance(s);
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
