/* SPDX-License-Identifier: Apache-2.0 */
/* The objects table: uid → head, resourceVersion, namespace, name, packed state. */
#include <errno.h>
#include <string.h>

#include "store_table.h"

/* The fixed part of an object's row. */
struct head {
	uint64_t checksum; /* of all that follows, under the uid */
	uint64_t hash[2];
	uint64_t seq;
	uint64_t size;
	uint32_t kind;
	uint32_t stream;
	uint32_t snapshot;
	uint16_t dictionary;
	uint16_t version_len;
	uint16_t ns_len;
	uint16_t name_len;
	uint32_t unused;
};

/* An object larger than this, once it was read, need not be held for the next. */
static const size_t keep = (size_t)1 << 20;

static uint64_t
checksum(struct bytes uid, const char *row, size_t len)
{
	struct head head;

	return store_checksum(
	    uid.p, uid.len, row + sizeof(head.checksum), len - sizeof(head.checksum));
}

static struct bytes
key_bytes(const struct uid_key *uid)
{
	return (struct bytes){(const char *)uid->bytes, uid->len};
}

bool
store_object_parse(struct bytes uid, struct bytes row, struct known *known)
{
	struct head head;
	size_t strings;
	const char *p;

	if (row.len < sizeof(head))
		return false;
	memcpy(&head, row.p, sizeof(head));
	strings = (size_t)head.version_len + head.ns_len + head.name_len;
	if (head.checksum != checksum(uid, row.p, row.len) || row.len - sizeof(head) < strings)
		return false;
	p = row.p + sizeof(head);
	*known = (struct known){
	    .hash = {head.hash[0], head.hash[1]},
	    .seq = head.seq,
	    .stream = head.stream,
	    .snapshot = head.snapshot,
	    .resource_version = {p, head.version_len},
	    .ns = {p + head.version_len, head.ns_len},
	    .name = {p + head.version_len + head.ns_len, head.name_len},
	    .state =
		{
		    .kind = head.kind,
		    .dictionary = head.dictionary,
		    .size = head.size,
		    .bytes = {p + strings, row.len - sizeof(head) - strings},
		},
	};
	return true;
}

/* The row is copied out, so that it outlives the next change. */
int
store_get(struct store *s, const struct uid_key *uid, struct known *known)
{
	struct bytes row;
	MDB_val value;
	int have = store_table_get(s, OBJECTS, uid->bytes, uid->len, &value);

	if (have != 1)
		return have;
	s->object.len = 0;
	buf_shrink(&s->object, keep);
	if (buf_add(&s->object, value.mv_data, value.mv_size) == -1)
		return store_failed(s, "read an object", errno);
	row = (struct bytes){s->object.data, s->object.len};
	if (!store_object_parse(key_bytes(uid), row, known))
		return store_damaged(s, "the row of an object");
	return 1;
}

int
store_put(struct store *s, const struct uid_key *uid, const struct known *known)
{
	struct head head = {
	    .hash = {known->hash[0], known->hash[1]},
	    .seq = known->seq,
	    .size = known->state.size,
	    .kind = known->state.kind,
	    .stream = known->stream,
	    .snapshot = known->snapshot,
	    .dictionary = (uint16_t)known->state.dictionary,
	    .version_len = (uint16_t)known->resource_version.len,
	    .ns_len = (uint16_t)known->ns.len,
	    .name_len = (uint16_t)known->name.len,
	};
	const struct bytes parts[] = {
	    {(const char *)&head, sizeof(head)},
	    known->resource_version,
	    known->ns,
	    known->name,
	    known->state.bytes,
	};
	size_t len = 0;
	char *row;
	char *to;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		len += parts[i].len;
	to = row = store_table_reserve(s, OBJECTS, uid->bytes, uid->len, len, false);
	if (row == NULL)
		return -1;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].len > 0)
			memcpy(to, parts[i].p, parts[i].len);
		to += parts[i].len;
	}
	head.checksum = checksum(key_bytes(uid), row, len);
	memcpy(row, &head, sizeof(head));
	return store_table_put_reserved(s);
}

int
store_mark_seen(struct store *s, const struct uid_key *uid, uint32_t stream, uint32_t snapshot)
{
	struct known known = {.stream = 0};
	int have = store_get(s, uid, &known);

	if (have != 1)
		return have;
	known.stream = stream;
	known.snapshot = snapshot;
	return store_put(s, uid, &known);
}

int
store_remove(struct store *s, const struct uid_key *uid)
{
	return store_table_remove(s, OBJECTS, uid->bytes, uid->len);
}
