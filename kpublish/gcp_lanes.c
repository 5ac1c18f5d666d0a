/* SPDX-License-Identifier: Apache-2.0 */
#include "gcp_lanes.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct item {
	struct message *message;
	size_t size;
	struct item *next; /* of the lane, or of those that are free */
};

/* Invariant: a lane in use has items (its key is theirs), and is in the ready list exactly while
 * nothing of it is out. */
struct lane {
	struct item *first;
	struct item *last;
	size_t count;
	size_t out;         /* from first on */
	size_t limit;       /* of messages in a request */
	struct lane *chain; /* the next with the same hash, or of those that are free */
	struct lane *next_ready;
	size_t bucket;
};

struct lanes {
	struct item *items;
	struct lane *lanes;
	struct lane **buckets;
	size_t mask;
	struct item *free_items;
	struct lane *free_lanes;
	struct lane *ready_first;
	struct lane *ready_last;
};

struct lanes *
lanes_open(size_t max)
{
	struct lanes *l = calloc(1, sizeof(*l));
	size_t buckets = 1;

	if (l == NULL)
		return NULL;
	while (buckets < 2 * max)
		buckets *= 2;
	l->mask = buckets - 1;
	l->items = calloc(max, sizeof(*l->items));
	l->lanes = calloc(max, sizeof(*l->lanes));
	l->buckets = calloc(buckets, sizeof(struct lane *));
	if (l->items == NULL || l->lanes == NULL || l->buckets == NULL) {
		lanes_close(l);
		return NULL;
	}
	for (size_t i = 0; i < max; i++) {
		l->items[i].next = i + 1 < max ? &l->items[i + 1] : NULL;
		l->lanes[i].chain = i + 1 < max ? &l->lanes[i + 1] : NULL;
	}
	l->free_items = l->items;
	l->free_lanes = l->lanes;
	return l;
}

void
lanes_close(struct lanes *l)
{
	if (l == NULL)
		return;
	free(l->items);
	free(l->lanes);
	free(l->buckets);
	free(l);
}

/* FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
static size_t
bucket_of(const struct lanes *l, const struct message *m)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (const char *p = m->key; p < m->key + m->key_len; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
	return (size_t)(hash ^ hash >> 32) & l->mask;
}

static bool
has_key(const struct lane *lane, const struct message *m)
{
	const struct message *mine = lane->first->message;

	return mine->key_len == m->key_len && memcmp(mine->key, m->key, m->key_len) == 0;
}

static void
make_ready(struct lanes *l, struct lane *lane)
{
	lane->next_ready = NULL;
	if (l->ready_first == NULL)
		l->ready_first = lane;
	else
		l->ready_last->next_ready = lane;
	l->ready_last = lane;
}

static struct lane *
new_lane(struct lanes *l, size_t bucket)
{
	struct lane *lane = l->free_lanes;

	assert(lane != NULL);
	l->free_lanes = lane->chain;
	*lane = (struct lane){
	    .limit = GCP_MESSAGES_MAX, .bucket = bucket, .chain = l->buckets[bucket]};
	l->buckets[bucket] = lane;
	make_ready(l, lane);
	return lane;
}

void
lanes_add(struct lanes *l, struct message *m, size_t size)
{
	size_t bucket = bucket_of(l, m);
	struct lane *lane = l->buckets[bucket];
	struct item *item = l->free_items;

	assert(item != NULL);
	l->free_items = item->next;
	*item = (struct item){.message = m, .size = size};
	while (lane != NULL && !has_key(lane, m))
		lane = lane->chain;
	if (lane == NULL)
		lane = new_lane(l, bucket);
	if (lane->first == NULL)
		lane->first = item;
	else
		lane->last->next = item;
	lane->last = item;
	lane->count++;
}

bool
lanes_ready(const struct lanes *l)
{
	return l->ready_first != NULL;
}

struct lane *
lanes_take(struct lanes *l, size_t max_size, const struct message *out[GCP_MESSAGES_MAX])
{
	struct lane *lane = l->ready_first;
	size_t size = 0;

	l->ready_first = lane->next_ready;
	for (const struct item *i = lane->first; i != NULL && lane->out < lane->limit;
	     i = i->next) {
		size += i->size;
		if (size > max_size && lane->out > 0)
			break;
		out[lane->out++] = i->message;
	}
	return lane;
}

size_t
lane_out(const struct lane *lane)
{
	return lane->out;
}

void
lanes_back(struct lanes *l, struct lane *lane)
{
	lane->out = 0;
	make_ready(l, lane);
}

void
lanes_halve(struct lanes *l, struct lane *lane)
{
	lane->limit = lane->out / 2;
	lane->out = 0;
	lane->next_ready = l->ready_first;
	if (l->ready_first == NULL)
		l->ready_last = lane;
	l->ready_first = lane;
}

static void
remove_lane(struct lanes *l, struct lane *lane)
{
	struct lane **at = &l->buckets[lane->bucket];

	while (*at != lane)
		at = &(*at)->chain;
	*at = lane->chain;
	lane->chain = l->free_lanes;
	l->free_lanes = lane;
}

struct message *
lanes_drop(struct lanes *l, struct lane *lane)
{
	struct item *item = lane->first;

	if (lane->out == 0) {
		if (lane->count > 0)
			make_ready(l, lane);
		else
			remove_lane(l, lane);
		return NULL;
	}
	lane->first = item->next;
	lane->count--;
	lane->out--;
	item->next = l->free_items;
	l->free_items = item;
	return item->message;
}

void
lane_found(struct lane *lane)
{
	lane->limit = GCP_MESSAGES_MAX;
}

void
lane_recall(struct lane *lane)
{
	lane->out = lane->count;
}
