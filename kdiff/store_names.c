/* SPDX-License-Identifier: Apache-2.0 */
/* The names table: kind id (big-endian, so that a kind's names stand together), namespace, NUL,
 * name → uid. LMDB's keys end at 511 bytes; what is longer is told by its hash. */
#include <string.h>
#include <xxhash.h>

#include "store_table.h"

struct name_key {
	size_t len;
	unsigned char bytes[STORE_NAME_MAX + 4];
};

static void
put_part(struct name_key *key, struct bytes part, size_t max)
{
	if (part.p == NULL)
		return;
	if (part.len > max) {
		XXH128_canonical_t hash;

		XXH128_canonicalFromHash(&hash, XXH3_128bits(part.p, part.len));
		memcpy(key->bytes + key->len, part.p, max - sizeof(hash));
		memcpy(key->bytes + key->len + max - sizeof(hash), &hash, sizeof(hash));
		key->len += max;
	} else if (part.len > 0) {
		memcpy(key->bytes + key->len, part.p, part.len);
		key->len += part.len;
	}
}

/* The key, or with name.p NULL what all names of the namespace begin with, or with ns.p NULL
 * too what all names of the kind begin with. */
static struct name_key
key_of(uint32_t kind, struct bytes ns, struct bytes name)
{
	struct name_key key = {
	    .len = 4,
	    .bytes = {(unsigned char)(kind >> 24), (unsigned char)(kind >> 16),
		(unsigned char)(kind >> 8), (unsigned char)kind},
	};

	if (ns.p == NULL && name.p == NULL)
		return key;
	put_part(&key, ns, 100);
	key.bytes[key.len++] = '\0';
	if (name.p != NULL)
		put_part(&key, name, 390);
	return key;
}

size_t
store_name_key(uint32_t kind, struct bytes ns, struct bytes name, unsigned char *to)
{
	struct name_key key = key_of(kind, ns, name);

	memcpy(to, key.bytes, key.len);
	return key.len;
}

static int
take_uid(struct store *s, const MDB_val *value, struct uid_key *uid)
{
	if (value->mv_size > sizeof(uid->bytes))
		return store_failed(s, "read a name", MDB_CORRUPTED);
	uid->len = value->mv_size;
	memcpy(uid->bytes, value->mv_data, uid->len);
	return 1;
}

int
store_name_get(
    struct store *s, uint32_t kind, struct bytes ns, struct bytes name, struct uid_key *uid)
{
	struct name_key key = key_of(kind, ns, name);
	MDB_val value;
	int have = store_table_get(s, NAMES, key.bytes, key.len, &value);

	return have == 1 ? take_uid(s, &value, uid) : have;
}

int
store_name_put(struct store *s, uint32_t kind, struct bytes ns, struct bytes name,
    const struct uid_key *uid)
{
	struct name_key key = key_of(kind, ns, name);

	return store_table_put(s, NAMES, key.bytes, key.len, store_value(uid->bytes, uid->len));
}

int
store_name_remove(struct store *s, uint32_t kind, struct bytes ns, struct bytes name,
    const struct uid_key *uid)
{
	struct name_key key = key_of(kind, ns, name);
	MDB_val value;
	int have = store_table_get(s, NAMES, key.bytes, key.len, &value);

	if (have != 1)
		return have;
	if (value.mv_size != uid->len || memcmp(value.mv_data, uid->bytes, uid->len) != 0)
		return 0;
	return store_table_remove(s, NAMES, key.bytes, key.len);
}

/* The first name at from, or behind it when that is where the walk stands. 1, 0, -1. */
static int
next_name(struct store *s, MDB_cursor *cursor, const MDB_val *from, bool behind, MDB_val *key,
    MDB_val *value)
{
	int order = 0;
	int rc;

	*key = *from;
	rc = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
	if (rc == 0)
		order = mdb_cmp(s->txn, s->tables[NAMES], key, from);
	/* Standing on the name handed out last: on to the one behind it. It may be gone by now,
	 * and then the cursor already stands behind. */
	if (rc == 0 && behind && order == 0) {
		rc = mdb_cursor_get(cursor, key, value, MDB_NEXT);
		if (rc == 0)
			order = mdb_cmp(s->txn, s->tables[NAMES], key, from);
	}
	/* A walk that goes back would never end. */
	if (rc == 0 && (order < 0 || (behind && order == 0)))
		return store_damaged(s, "the order of names");
	return store_found(s, rc);
}

int
store_name_next(struct store *s, uint32_t kind, struct bytes ns, struct name_walk *walk,
    struct uid_key *uid)
{
	struct name_key prefix = key_of(kind, ns, (struct bytes){NULL, 0});
	MDB_val from = store_value(
	    walk->len > 0 ? walk->key : prefix.bytes, walk->len > 0 ? walk->len : prefix.len);
	MDB_cursor *cursor;
	MDB_val key;
	MDB_val value;
	int have;
	int rc = mdb_cursor_open(s->txn, s->tables[NAMES], &cursor);

	if (rc != 0)
		return store_failed(s, "read names", rc);
	have = next_name(s, cursor, &from, walk->len > 0, &key, &value);
	if (have == 1 && (key.mv_size < prefix.len || key.mv_size > sizeof(walk->key) ||
			     memcmp(key.mv_data, prefix.bytes, prefix.len) != 0))
		have = 0;
	if (have == 1) {
		walk->len = key.mv_size;
		memcpy(walk->key, key.mv_data, key.mv_size);
		have = take_uid(s, &value, uid);
	}
	mdb_cursor_close(cursor);
	return have;
}

/* The value of a hexadecimal digit as UUIDs are printed, lower case; -1 of anything else. */
static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 8-4-4-4-12 lower-case digits → 16 bytes: half the key, twice the keys a page. */
static int
pack_uuid(struct bytes uid, unsigned char out[16])
{
	size_t n = 0;

	if (uid.len != 36)
		return -1;
	for (size_t i = 0; i < 36;) {
		int high;
		int low;

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (uid.p[i++] != '-')
				return -1;
			continue;
		}
		high = hex_value(uid.p[i]);
		low = hex_value(uid.p[i + 1]);
		if (high == -1 || low == -1)
			return -1;
		out[n++] = (unsigned char)(high << 4 | low);
		i += 2;
	}
	return 0;
}

int
uid_key_of(struct bytes uid, struct uid_key *key)
{
	if (pack_uuid(uid, key->bytes + 1) == 0) {
		key->bytes[0] = 'u';
		key->len = 17;
		return 0;
	}
	if (uid.len > STORE_UID_MAX - 1)
		return -1;
	key->bytes[0] = 's';
	memcpy(key->bytes + 1, uid.p, uid.len);
	key->len = 1 + uid.len;
	return 0;
}
