/* SPDX-License-Identifier: Apache-2.0 */
/* All streams: which there are, whose turn it is to take a snapshot, and what concerns them
 * together. */
#ifndef STREAMS_H
#define STREAMS_H

#include "stream.h"

struct streams;

/* NULL when out of memory. */
struct streams *streams_open(struct env *env);
void streams_close(struct streams *set);

/* Brings the streams in line with what the server has: new types get streams, confirmed losses
 * their gone mark. 0; -1 with a message: a TYPE of the command line means nothing (or memory
 * ran out); the others have their streams. */
int streams_update(struct streams *set, const struct types *types);

/* Lets each stream whose time has come take its step. Returns the milliseconds until the next
 * one's, -1: none waits for a time. */
int streams_tick(struct streams *set);

/* The running one of the same objects, in whatever version; ns NULL or "": of all namespaces. NULL:
 * there is none. */
struct stream *streams_of_type(
    const struct streams *set, const struct type *type, const char *ns);
/* The running one that marks call by that name; NULL: there is none. */
struct stream *streams_named(const struct streams *set, const char *name);
/* How many are complete and may be audited, and *next, the one that was so the longest ago (NULL:
 * there is none). */
size_t streams_complete(const struct streams *set, struct stream **next);
/* Is no stream on its way to a snapshot? Those that may not be listed, or fail, do not count. */
bool streams_settled(const struct streams *set);

enum streams_state {
	STREAMS_RUNNING,
	STREAMS_FINISHED,   /* --once: all have ended */
	STREAMS_FAILED,     /* --once: all have ended, but not all had what was asked for */
	STREAMS_ALL_DENIED, /* not one may be listed */
};

enum streams_state streams_state(const struct streams *set);

enum streams_discovery {
	DISCOVERY_NOT_WANTED,
	DISCOVERY_SOON, /* types seem to have changed */
	DISCOVERY_NOW,  /* a stream waits for it */
};

/* What has come up since the last call. */
enum streams_discovery streams_discovery(struct streams *set);

/* For the streams themselves. */
bool streams_take_turn(struct streams *set);
void streams_give_turn(struct streams *set);
bool streams_no_watch_list(const struct streams *set);
void streams_watch_list_refused(struct streams *set);
void streams_watch_list_kept(struct streams *set);
void streams_unreachable(struct streams *set, const char *why);
void streams_reached(struct streams *set);
void streams_denied(struct streams *set, const struct stream *s);
void streams_expired(struct streams *set, const struct stream *s);
void streams_want_discovery(struct streams *set, enum streams_discovery when);
void streams_saw_change(struct streams *set, const struct stream *s);

#endif
