/* SPDX-License-Identifier: Apache-2.0 */
#include "stream_row.h"

#include <string.h>
#include <xxhash.h>

struct head {
	uint32_t id;
	uint32_t snapshot;
	uint32_t complete;
	uint32_t unfinished;
	uint32_t version_len;
	uint32_t path_len;
	uint32_t reason_len;
	uint32_t from_len;
};

struct bytes
stream_row_key(struct bytes path, char key[STORE_NAME_MAX])
{
	XXH128_canonical_t hash;

	if (path.len <= STORE_NAME_MAX)
		return path;
	XXH128_canonicalFromHash(&hash, XXH3_128bits(path.p, path.len));
	memcpy(key, path.p, STORE_NAME_MAX - sizeof(hash));
	memcpy(key + STORE_NAME_MAX - sizeof(hash), &hash, sizeof(hash));
	return (struct bytes){key, STORE_NAME_MAX};
}

static int
add(struct buf *out, struct bytes part)
{
	return part.len > 0 ? buf_add(out, part.p, part.len) : 0;
}

int
stream_row_write(const struct stream_row *row, struct buf *out)
{
	struct head head = {
	    .id = row->id,
	    .snapshot = row->snapshot,
	    .complete = row->complete,
	    .unfinished = row->unfinished,
	    .version_len = (uint32_t)row->version.len,
	    .path_len = (uint32_t)row->path.len,
	    .reason_len = (uint32_t)row->gap_reason.len,
	    .from_len = (uint32_t)row->gap_from.len,
	};

	if (buf_add(out, &head, sizeof(head)) == -1 || add(out, row->version) == -1 ||
	    add(out, row->path) == -1 || add(out, row->gap_reason) == -1)
		return -1;
	return add(out, row->gap_from);
}

int
stream_row_read(struct bytes value, struct stream_row *row)
{
	struct head head;
	const char *p = value.p + sizeof(head);

	if (value.len < sizeof(head))
		return -1;
	memcpy(&head, value.p, sizeof(head));
	if (head.version_len > STREAM_VERSION_MAX || head.path_len > STREAM_PATH_MAX ||
	    head.reason_len > STREAM_REASON_MAX || head.from_len > STREAM_VERSION_MAX ||
	    value.len - sizeof(head) !=
		(size_t)head.version_len + head.path_len + head.reason_len + head.from_len)
		return -1;
	*row = (struct stream_row){
	    .id = head.id,
	    .snapshot = head.snapshot,
	    .complete = head.complete != 0,
	    .unfinished = head.unfinished != 0,
	    .version = {p, head.version_len},
	    .path = {p + head.version_len, head.path_len},
	    .gap_reason = {p + head.version_len + head.path_len, head.reason_len},
	};
	row->gap_from = (struct bytes){row->gap_reason.p + row->gap_reason.len, head.from_len};
	return 0;
}

bool
stream_row_resumable(const struct stream_row *row)
{
	return row->complete && !row->unfinished && row->version.len > 0;
}
