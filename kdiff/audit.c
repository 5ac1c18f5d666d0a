/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "gap.h"
#include "resync.h"
#include "rv.h"

/* Objects are told by hashes of 64 bits: two that have the same would hide a difference, no more. */

/* How one object differs. */
struct difference {
	uint64_t uid;
	uint64_t
	    known;     /* the hash of the resourceVersion that is known; 0: the object is not */
	uint64_t told; /* has it been counted? */
};

struct audit {
	bool open;         /* between its first mark and its last */
	struct buf seen;   /* the uids that exist, uint64_t */
	struct buf found;  /* differences */
	struct buf before; /* those of the audit before, sorted by uid */
	size_t missed;     /* of found: those that were the same before */
	size_t new;        /* of these, the ones that are not told yet */
	/* The version of the last audit that found none. */
	size_t clean_len;
	char clean[STREAM_VERSION_MAX];
};

enum { NAMED = 3 }; /* objects that are named on standard error, for each audit */

/* Bytes for the objects of a stream. */
static const size_t uids_max = (size_t)256 << 20;

static uint64_t
hash(struct bytes b)
{
	return XXH3_64bits(b.p, b.len);
}

static struct bytes
key_bytes(const struct uid_key *uid)
{
	return (struct bytes){(const char *)uid->bytes, uid->len};
}

static int
compare(const void *a, const void *b)
{
	uint64_t x;
	uint64_t y;

	/* Of both kinds of entries the uid is the first. */
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static void
sort(struct buf *b, size_t size)
{
	if (b->len > 0)
		qsort(b->data, b->len / size, size, compare);
}

static const void *
find(const struct buf *b, size_t size, uint64_t uid)
{
	return b->len > 0 ? bsearch(&uid, b->data, b->len / size, size, compare) : NULL;
}

void
audit_spoil(struct audit *a)
{
	if (a == NULL)
		return;
	a->open = false;
	buf_free(&a->seen);
	buf_free(&a->found);
	a->missed = a->new = 0;
}

void
audit_free(struct audit *a)
{
	if (a == NULL)
		return;
	audit_spoil(a);
	buf_free(&a->before);
	free(a);
}

int
audit_begin(struct kdiff *k, struct stream *stream)
{
	struct audit *a = stream->audit;

	if (stream->in_snapshot)
		return 0;
	if (a == NULL) {
		a = calloc(1, sizeof(*a));
		if (a == NULL) {
			log_error(&k->tool.log, "out of memory");
			return -1;
		}
		buf_init(&a->seen, uids_max);
		buf_init(&a->found, uids_max);
		buf_init(&a->before, uids_max);
		stream->audit = a;
	}
	audit_spoil(a);
	a->open = true;
	return 0;
}

/* There are more objects than can be compared: that is no reason to end. */
static int
too_many(struct kdiff *k, struct stream *stream)
{
	log_warning(
	    &k->tool.log, "%s: not audited: there is no memory for its objects", stream->path);
	audit_spoil(stream->audit);
	return 0;
}

/* The object is not as it is known to be; what: how. 0. */
static int
differs(struct kdiff *k, struct stream *stream, const char *what, struct bytes ns,
    struct bytes name, struct difference d)
{
	struct audit *a = stream->audit;
	const struct difference *before = find(&a->before, sizeof(d), d.uid);

	if (before != NULL && before->known == d.known) {
		a->missed++;
		a->new += before->told == 0;
		if (before->told == 0 && a->new <= NAMED)
			log_warning(&k->tool.log, "%s: audit: %.*s%s%.*s %s", stream->path,
			    (int)ns.len, ns.len > 0 ? ns.p : "", ns.len > 0 ? "/" : "",
			    (int)name.len, name.p, what);
		d.told = 1;
	}
	return buf_add(&a->found, &d, sizeof(d)) == -1 ? too_many(k, stream) : 0;
}

static const char *
missing(const struct object *o)
{
	if (o->uid.p == NULL || o->uid.escaped || o->uid.len == 0 ||
	    o->resource_version.p == NULL || o->resource_version.len == 0 || o->name.p == NULL)
		return "the mark lacks a plain uid, name or resourceVersion";
	return NULL;
}

int
audit_exists(struct kdiff *k, struct stream *stream, const struct object *o, const char **why)
{
	struct audit *a = stream->audit;
	struct bytes version = {o->resource_version.p, o->resource_version.len};
	struct bytes ns = {o->ns.p, o->ns.len};
	struct bytes name = {o->name.p, o->name.len};
	struct difference d = {.uid = 0};
	struct uid_key uid;
	struct known known;
	enum rv_order order;
	int have;

	*why = missing(o);
	if (*why == NULL && uid_key_of((struct bytes){o->uid.p, o->uid.len}, &uid) == -1)
		*why = "the uid is too long";
	if (*why != NULL)
		return -1;
	if (a == NULL || !a->open)
		return 0;
	d.uid = hash(key_bytes(&uid));
	if (buf_add(&a->seen, &d.uid, sizeof(d.uid)) == -1)
		return too_many(k, stream);
	have = store_get(k->store, &uid, &known);
	if (have == -1)
		return -1;
	if (have == 0)
		return differs(k, stream, "exists, and no event has told", ns, name, d);
	order = rv_compare(known.resource_version, version);
	if (order == RV_EQUAL || order == RV_NEWER)
		return 0;
	d.known = hash(known.resource_version) | 1;
	return differs(k, stream, "has changed, and no event has told", ns, name, d);
}

/* What is known of the stream, is not newer than the list, and was not in it. */
static int
find_gone(struct kdiff *k, struct stream *stream, struct bytes version)
{
	const struct audit *a = stream->audit;
	struct name_walk walk = {.len = 0};
	struct difference d = {.uid = 0};
	struct uid_key uid;
	struct known known;
	int have;

	while (a->open && (have = store_name_next(k->store, kind_id(stream->kind), stream->ns,
			       &walk, &uid)) != 0) {
		if (have == 1)
			have = store_get(k->store, &uid, &known);
		if (have == -1)
			return -1;
		d.uid = hash(key_bytes(&uid));
		if (have != 1 || known.stream != stream->id ||
		    find(&a->seen, sizeof(d.uid), d.uid) != NULL ||
		    rv_compare(known.resource_version, version) == RV_NEWER)
			continue;
		d.known = hash(known.resource_version) | 1;
		(void)differs(
		    k, stream, "is gone, and no event has told", known.ns, known.name, d);
	}
	return 0;
}

/* Asks for the snapshot that mends it. */
static void
heal(struct kdiff *k, struct stream *stream)
{
	struct audit *a = stream->audit;
	bool asked = resync_ask(&k->resync, (struct bytes){stream->path, stream->path_len});

	if (a->new == 0)
		return;
	k->count[COUNT_AUDIT_MISSED].value += a->new;
	log_warning(&k->tool.log, "%s: audit: changes of %zu objects were missed: %s",
	    stream->path, a->new,
	    asked ? "a snapshot is asked for" : "the next snapshot brings them");
	gap_missed(k, stream, (struct bytes){a->clean, a->clean_len});
}

int
audit_end(struct kdiff *k, struct stream *stream, struct bytes version)
{
	struct audit *a = stream->audit;
	struct buf empty;

	if (a == NULL || !a->open)
		return 0;
	sort(&a->seen, sizeof(uint64_t));
	if (find_gone(k, stream, version) == -1)
		return -1;
	if (!a->open)
		return 0;
	k->count[COUNT_AUDITS].value++;
	if (a->missed > 0)
		heal(k, stream);
	if (a->found.len == 0 && version.len <= sizeof(a->clean)) {
		memcpy(a->clean, version.p, version.len);
		a->clean_len = version.len;
	}
	empty = a->before;
	empty.len = 0;
	a->before = a->found;
	a->found = empty;
	sort(&a->before, sizeof(struct difference));
	audit_spoil(a);
	return 0;
}
