/* SPDX-License-Identifier: Apache-2.0 */
#include "rabbit_unconfirmed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rabbit_wire.h"

struct slot {
	struct message *m; /* NULL: confirmed */
	bool returned;
};

/* Invariant: oldest == next, or the slot of oldest has a message. */
struct rabbit_unconfirmed {
	struct slot *slots; /* a tag's is at tag % size */
	size_t size;
	uint64_t oldest;
	uint64_t next;        /* the tag that comes */
	uint64_t returned_to; /* no message up to this tag will be returned any more */
};

static void
rewind_tags(struct rabbit_unconfirmed *u)
{
	u->oldest = u->next = 1;
	u->returned_to = 0;
}

struct rabbit_unconfirmed *
rabbit_unconfirmed_open(size_t tags)
{
	struct rabbit_unconfirmed *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return NULL;
	u->slots = calloc(tags, sizeof(*u->slots));
	if (u->slots == NULL) {
		free(u);
		return NULL;
	}
	u->size = tags;
	rewind_tags(u);
	return u;
}

void
rabbit_unconfirmed_close(struct rabbit_unconfirmed *u)
{
	if (u == NULL)
		return;
	free(u->slots);
	free(u);
}

bool
rabbit_unconfirmed_full(const struct rabbit_unconfirmed *u)
{
	return u->next - u->oldest == u->size;
}

static struct slot *
slot_of(const struct rabbit_unconfirmed *u, uint64_t tag)
{
	return &u->slots[tag % u->size];
}

void
rabbit_unconfirmed_add(struct rabbit_unconfirmed *u, struct message *m)
{
	assert(!rabbit_unconfirmed_full(u));
	m->tag = u->next++;
	*slot_of(u, m->tag) = (struct slot){.m = m};
}

bool
rabbit_unconfirmed_return(struct rabbit_unconfirmed *u, const void *id, size_t len)
{
	uint64_t tag = u->returned_to + 1 > u->oldest ? u->returned_to + 1 : u->oldest;

	for (; tag < u->next; tag++) {
		struct slot *slot = slot_of(u, tag);
		amqp_bytes_t sent;

		if (slot->m == NULL)
			continue;
		sent = rabbit_wire_short(slot->m->id.p, slot->m->id.len);
		if (sent.len == len && memcmp(sent.bytes, id, len) == 0) {
			slot->returned = true;
			u->returned_to = tag;
			return true;
		}
	}
	return false;
}

static struct message *
take(struct rabbit_unconfirmed *u, uint64_t tag, bool *returned)
{
	struct slot *slot = slot_of(u, tag);
	struct message *m = slot->m;

	if (m == NULL)
		return NULL;
	*returned = slot->returned;
	slot->m = NULL;
	while (u->oldest < u->next && slot_of(u, u->oldest)->m == NULL)
		u->oldest++;
	return m;
}

struct message *
rabbit_unconfirmed_take(
    struct rabbit_unconfirmed *u, uint64_t tag, bool multiple, bool *returned)
{
	if (tag == 0 && multiple) /* all there are */
		tag = u->next - 1;
	if (tag < u->oldest || tag >= u->next)
		return NULL;
	return take(u, multiple ? u->oldest : tag, returned);
}

struct message *
rabbit_unconfirmed_drop(struct rabbit_unconfirmed *u)
{
	bool returned;

	if (u->oldest < u->next)
		return take(u, u->oldest, &returned);
	rewind_tags(u);
	return NULL;
}
