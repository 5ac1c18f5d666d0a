/* SPDX-License-Identifier: Apache-2.0 */
/* The messages that are not yet acknowledged, in the order in which they came: which may be
 * sent now, which wait, and up to where everything is done. It knows no bus and no clock.
 *
 * The order of a key: without `ordered`, messages whose keys have the same hash stand in one
 * lane, and only the first of a lane is ever out. With it, all may be out at once; when one
 * comes back, nothing is sent until all that are out have come back, and then it goes on from
 * the oldest. */
#ifndef WINDOW_H
#define WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"

struct window;

/* max_bytes: of kept messages; a single larger one is taken when there is no other. NULL with
 * errno ENOMEM. */
struct window *window_open(size_t max_messages, size_t max_bytes, bool ordered);
/* Frees the messages that are still there as well. */
void window_close(struct window *w);

/* May a message of so many bytes be added now? */
bool window_has_room(const struct window *w, size_t bytes);
/* May it be, and has an eighth of the window become free? What did not fit waits for that: were each place
 * filled as it becomes free, every message would be a round of its own for all who work on it. */
bool window_has_eased(const struct window *w, size_t bytes);
/* Takes the message (its memory too) behind all others. There must be room. */
void window_add(struct window *w, const struct message *m);

/* The next message to send at this time, or NULL. The same one until window_sent. */
struct message *window_next(struct window *w, int64_t now_ms);
/* It is given to the bus now. */
void window_sent(struct window *w, struct message *m);
/* The bus did not take what was given to it just now: it is the next one again. */
void window_unsent(struct window *w, struct message *m);

/* It is dealt with; its memory is given back. */
void window_done(struct window *w, struct message *m);
/* It is to be sent again, at due_ms at the earliest. */
void window_retry(struct window *w, struct message *m, int64_t due_ms);
/* A smaller form of it is to be sent, in its place and without delay. */
void window_smaller(struct window *w, struct message *m);
/* How often has it been sent? */
unsigned window_attempts(const struct message *m);
/* It will never be dealt with: as done, but nothing from it on is ever acknowledged. */
void window_fail(struct window *w, struct message *m);

/* Milliseconds until a message that waits is due; -1: none waits. */
int window_wait_ms(const struct window *w, int64_t now_ms);

/* Messages that are not done, and their bytes; those of them that are out. */
size_t window_count(const struct window *w);
size_t window_bytes(const struct window *w);
size_t window_in_flight(const struct window *w);

/* Everything up to this seq is done. 0: nothing with a seq is yet. */
uint64_t window_acked(const struct window *w);

#endif
