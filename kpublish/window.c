/* SPDX-License-Identifier: Apache-2.0 */
#include "window.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum state {
	QUEUED,  /* not sent, or (ordered) to be sent again */
	SENT,    /* out, no verdict yet */
	WAITING, /* to be sent again when due; not when ordered */
	DONE,
};

/* A message's place in the ring. `message` is the first member: a message is its slot. */
struct slot {
	struct message message;
	enum state state;
	bool failed;
	unsigned attempts;
	size_t bytes;
	int64_t due_ms;
	size_t lane;
	struct slot *behind;     /* the next of the lane */
	struct slot *next_ready; /* the next that may be sent */
};

/* Invariant: the first slot of a lane is ready, SENT or WAITING; all behind it are QUEUED and
 * not in the ready list. */
struct lane {
	struct slot *first;
	struct slot *last;
};

struct window {
	bool ordered;
	struct slot
	    *slots; /* a ring: `used` of them from `head` on, the first of which is not DONE */
	size_t size;
	size_t head;
	size_t used;
	size_t count; /* not DONE */
	size_t bytes;
	size_t max_bytes;
	size_t in_flight;
	uint64_t acked;
	bool stuck; /* a message failed: acked stays where it is */

	/* ordered */
	size_t unsent;  /* from head: how many have been gone through */
	bool rewinding; /* nothing is sent until in_flight is 0 and rewind_ms has come */
	int64_t rewind_ms;

	/* else */
	struct lane *lanes;
	size_t lane_mask;
	struct slot *ready_first;
	struct slot *ready_last;
	size_t waiting;
	int64_t next_due_ms; /* no waiting one is due earlier */
};

struct window *
window_open(size_t max_messages, size_t max_bytes, bool ordered)
{
	struct window *w = calloc(1, sizeof(*w));
	size_t lanes = 1;

	if (w == NULL)
		return NULL;
	while (lanes < 8 * max_messages) /* few keys that only share a lane by chance */
		lanes *= 2;
	w->ordered = ordered;
	w->size = max_messages;
	w->max_bytes = max_bytes;
	w->lane_mask = lanes - 1;
	w->slots = calloc(max_messages, sizeof(*w->slots));
	if (!ordered)
		w->lanes = calloc(lanes, sizeof(*w->lanes));
	if (w->slots == NULL || (!ordered && w->lanes == NULL)) {
		window_close(w);
		errno = ENOMEM;
		return NULL;
	}
	return w;
}

static struct slot *
slot_at(const struct window *w, size_t i)
{
	return &w->slots[(w->head + i) % w->size];
}

void
window_close(struct window *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->used; i++)
		message_free(&slot_at(w, i)->message);
	free(w->slots);
	free(w->lanes);
	free(w);
}

bool
window_has_room(const struct window *w, size_t bytes)
{
	return w->used < w->size &&
	       (w->count == 0 || (bytes <= w->max_bytes && w->bytes <= w->max_bytes - bytes));
}

bool
window_has_eased(const struct window *w, size_t bytes)
{
	return window_has_room(w, bytes) && w->used <= w->size - w->size / 8 &&
	       (w->count == 0 || w->bytes <= w->max_bytes - w->max_bytes / 8);
}

static void
make_ready(struct window *w, struct slot *s)
{
	s->state = QUEUED;
	s->next_ready = NULL;
	if (w->ready_first == NULL)
		w->ready_first = s;
	else
		w->ready_last->next_ready = s;
	w->ready_last = s;
}

/* FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
static size_t
hash(const char *key, size_t len)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)key[i]) * UINT64_C(1099511628211);
	return (size_t)(h ^ h >> 32);
}

static void
enter_lane(struct window *w, struct slot *s)
{
	struct lane *lane;

	s->lane = hash(s->message.key, s->message.key_len) & w->lane_mask;
	lane = &w->lanes[s->lane];
	if (lane->first == NULL) {
		lane->first = s;
		make_ready(w, s);
	} else {
		lane->last->behind = s;
	}
	lane->last = s;
}

void
window_add(struct window *w, const struct message *m)
{
	struct slot *s = slot_at(w, w->used);

	assert(w->used < w->size);
	*s = (struct slot){.message = *m, .state = QUEUED, .bytes = message_cost(m)};
	w->used++;
	w->count++;
	w->bytes += s->bytes;
	if (!w->ordered)
		enter_lane(w, s);
}

/* The waiting ones whose time has come may be sent. */
static void
wake(struct window *w, int64_t now_ms)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < w->used; i++) {
		struct slot *s = slot_at(w, i);

		if (s->state != WAITING)
			continue;
		if (s->due_ms <= now_ms) {
			w->waiting--;
			make_ready(w, s);
		} else if (s->due_ms < next) {
			next = s->due_ms;
		}
	}
	w->next_due_ms = next;
}

static struct message *
next_ordered(struct window *w, int64_t now_ms)
{
	if (w->rewinding) {
		if (w->in_flight > 0 || now_ms < w->rewind_ms)
			return NULL;
		w->rewinding = false;
		w->unsent = 0;
	}
	while (w->unsent < w->used && slot_at(w, w->unsent)->state == DONE)
		w->unsent++;
	return w->unsent < w->used ? &slot_at(w, w->unsent)->message : NULL;
}

struct message *
window_next(struct window *w, int64_t now_ms)
{
	if (w->ordered)
		return next_ordered(w, now_ms);
	if (w->waiting > 0 && now_ms >= w->next_due_ms)
		wake(w, now_ms);
	return w->ready_first != NULL ? &w->ready_first->message : NULL;
}

void
window_sent(struct window *w, struct message *m)
{
	struct slot *s = (struct slot *)m;

	assert(s->state == QUEUED);
	s->state = SENT;
	s->attempts++;
	w->in_flight++;
	if (w->ordered) {
		w->unsent++;
	} else {
		assert(w->ready_first == s);
		w->ready_first = s->next_ready;
	}
}

void
window_unsent(struct window *w, struct message *m)
{
	struct slot *s = (struct slot *)m;

	assert(s->state == SENT);
	s->state = QUEUED;
	s->attempts--;
	w->in_flight--;
	if (w->ordered) {
		w->unsent--;
		return;
	}
	s->next_ready = w->ready_first;
	if (w->ready_first == NULL)
		w->ready_last = s;
	w->ready_first = s;
}

/* Everything done at the front is let go. */
static void
advance(struct window *w)
{
	while (w->used > 0 && w->slots[w->head].state == DONE) {
		const struct slot *s = &w->slots[w->head];

		w->stuck = w->stuck || s->failed;
		if (!w->stuck && s->message.seq > 0)
			w->acked = s->message.seq;
		w->head = (w->head + 1) % w->size;
		w->used--;
		if (w->unsent > 0)
			w->unsent--;
	}
}

static void
leave_lane(struct window *w, const struct slot *s)
{
	struct lane *lane = &w->lanes[s->lane];

	assert(lane->first == s);
	lane->first = s->behind;
	if (lane->first != NULL)
		make_ready(w, lane->first);
}

void
window_done(struct window *w, struct message *m)
{
	struct slot *s = (struct slot *)m;

	assert(s->state == SENT);
	s->state = DONE;
	w->in_flight--;
	w->count--;
	w->bytes -= s->bytes;
	message_free(m);
	if (!w->ordered)
		leave_lane(w, s);
	advance(w);
}

void
window_fail(struct window *w, struct message *m)
{
	((struct slot *)m)->failed = true;
	window_done(w, m);
}

/* Ordered: it goes on from the oldest when all that are out have come back, and not before. */
static void
rewind_at(struct window *w, struct slot *s, int64_t due_ms)
{
	s->state = QUEUED;
	if (!w->rewinding || due_ms > w->rewind_ms)
		w->rewind_ms = due_ms;
	w->rewinding = true;
}

void
window_retry(struct window *w, struct message *m, int64_t due_ms)
{
	struct slot *s = (struct slot *)m;

	assert(s->state == SENT);
	w->in_flight--;
	if (w->ordered) {
		rewind_at(w, s, due_ms);
		return;
	}
	s->state = WAITING;
	s->due_ms = due_ms;
	if (w->waiting == 0 || due_ms < w->next_due_ms)
		w->next_due_ms = due_ms;
	w->waiting++;
}

void
window_smaller(struct window *w, struct message *m)
{
	struct slot *s = (struct slot *)m;

	assert(s->state == SENT);
	w->in_flight--;
	w->bytes -= s->bytes;
	s->bytes = message_cost(m); /* more: the whole is still there, for the dead letters */
	w->bytes += s->bytes;
	if (w->ordered)
		rewind_at(w, s, INT64_MIN);
	else
		make_ready(w, s);
}

unsigned
window_attempts(const struct message *m)
{
	return ((const struct slot *)m)->attempts;
}

int
window_wait_ms(const struct window *w, int64_t now_ms)
{
	int64_t due = w->ordered ? w->rewind_ms : w->next_due_ms;
	bool waits = w->ordered ? w->rewinding && w->in_flight == 0 : w->waiting > 0;

	if (!waits)
		return -1;
	if (due <= now_ms)
		return 0;
	return due - now_ms > 60000 ? 60000 : (int)(due - now_ms);
}

size_t
window_count(const struct window *w)
{
	return w->count;
}

size_t
window_bytes(const struct window *w)
{
	return w->bytes;
}

size_t
window_in_flight(const struct window *w)
{
	return w->in_flight;
}

uint64_t
window_acked(const struct window *w)
{
	return w->acked;
}
