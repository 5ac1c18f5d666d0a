/* SPDX-License-Identifier: Apache-2.0 */
#include "subject.h"

#include "rv.h"

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

enum change_result
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

void
subject_advance(const struct subject *s)
{
	struct bytes at;

	if (s->stream == NULL || s->stream->in_snapshot || s->stream->overlaps)
		return;
	at = stream_version(s->stream);
	if (at.len == 0 || rv_compare(s->version, at) != RV_OLDER)
		stream_advance(s->stream, s->version);
}

bool
subject_behind_stream(const struct subject *s)
{
	enum rv_order order;
	struct bytes at;

	if (s->stream == NULL || s->stream->in_snapshot || s->stream->overlaps)
		return false;
	at = stream_version(s->stream);
	if (at.len == 0)
		return false;
	order = rv_compare(s->version, at);
	return order == RV_OLDER || order == RV_EQUAL;
}
