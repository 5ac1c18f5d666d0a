/* SPDX-License-Identifier: Apache-2.0 */
/* One stream: the list and watch of one type, in all namespaces or in one, as a state machine.
 *
 *	QUEUED ──▶ SYNCING (WatchList) ───────────────▶ WATCHING ──▶ again from the last
 *	   │          │ refused, or silent                 ▲  │         resourceVersion
 *	   │          ▼                                    │  │ 410: gap
 *	   └──────▶ LISTING (pages) ───────────────────────┘  └───▶ QUEUED
 *
 * A stream that goes on from where an earlier run has come to (--resume) begins at WATCHING. A
 * failure leads to PAUSED, which goes back to the state that failed (a list to the same
 * page); 404 to UNCONFIRMED until discovery has told whether the type is gone; a version that is
 * no longer served is RETIRED until the stream of the new version has its snapshot. Source:
 * client-go's reflector and KEP-3157. */
#ifndef STREAM_H
#define STREAM_H

#include "backoff.h"
#include "env.h"
#include "status.h"
#include "types.h"
#include "unfold.h"

enum stream_state {
	STREAM_QUEUED,  /* for its turn to take a snapshot */
	STREAM_SYNCING, /* the initial events of a WatchList */
	STREAM_LISTING, /* one page of a list */
	STREAM_WATCHING,
	STREAM_PAUSED,      /* until deadline_ms, then `resume` */
	STREAM_UNCONFIRMED, /* 404: until discovery has answered */
	STREAM_RETIRED,     /* until the stream that replaces it is complete */
	STREAM_ENDED,
};

/* What a stream waits for, once a step is done. */
enum stream_wait {
	WAIT_TURN,   /* one of the places for snapshots */
	WAIT_SERVER, /* an answer, or deadline_ms */
	WAIT_TIME,   /* deadline_ms */
	WAIT_DISCOVERY,
	WAIT_NOTHING,
};

/* Why a request was ended from within its body. */
enum stream_end {
	END_NONE,      /* it was not: the server or the network did */
	END_COMPLETE,  /* all that was wanted is here */
	END_REFUSED,   /* an ERROR event: `status` */
	END_MALFORMED, /* reported already */
	END_OUTPUT,    /* standard output has failed */
};

enum {
	RESOURCE_VERSION_MAX = 256,
	STREAM_SILENCE_MS = 10000, /* so long may a WatchList hold its bookmark back */
};

/* The reason of a gap: its objects were watched in another version before. */
#define STREAM_OTHER_VERSION "VersionChanged"

struct stream {
	struct env *env;
	struct streams *set;
	struct type type; /* own copy */
	const char *ns;   /* of the command line; NULL: all, or the type is in none */
	char *api_version;
	char *path;      /* /api/v1/pods */
	char *selectors; /* labelSelector=…&fieldSelector=…, or "" */
	char *name;      /* the path with its selectors: what marks say */
	bool quiet;      /* watched for what it tells about types; nothing is written */
	bool named;      /* its type was named on the command line */

	enum stream_state state;
	enum stream_state resume; /* where PAUSED goes */
	struct transfer *transfer;
	int64_t begun_ms;    /* when the request was made */
	int64_t deadline_ms; /* 0: none */
	int64_t end_ms;      /* when a watch must have ended by */
	struct backoff backoff;
	bool turn; /* holds one of the places for snapshots */

	char resource_version[RESOURCE_VERSION_MAX]; /* resume from here; "" at first */
	char *next_page;       /* the continue token; NULL: the first page */
	struct unfold *unfold; /* while listing */
	struct buf partial;    /* the beginning of a line that has not ended yet */
	size_t page_items;
	size_t page_bytes;
	long limit;                              /* of the next page */
	char list_version[RESOURCE_VERSION_MAX]; /* of the list being taken, from its first page
						  */

	enum stream_end end;  /* of the present request */
	struct status status; /* for END_REFUSED */
	uint64_t events;      /* of the present request */
	bool marked;          /* begin has been written for this snapshot */
	bool synced;          /* a snapshot has been completed, in this run or an earlier one */
	bool resumed;         /* by --resume, and nothing has come of it yet */
	bool exact;        /* the snapshot is to be taken at resource_version, or not at all */
	bool doubted;      /* discovery lacks its type */
	bool denied;       /* tried again, ever more seldom */
	bool unfit;        /* denied for its selectors (400), not its credentials */
	bool failed;       /* given up (--once) */
	bool audit_failed; /* and that has been said */
	bool complained;   /* the present trouble has been reported */
	bool tried_credentials; /* a 401 has been answered by reading them again */
	bool no_watch_list;     /* the server has refused it, or not kept it, for this type */
	int64_t denied_ms;      /* how long it waits for that */
	int64_t audited_ms;     /* when its last audit began; 0: never */
	unsigned snapshots;     /* begun */
	unsigned cut_short;     /* WatchLists that ended before their bookmark */
	unsigned tries;         /* failures in a row */
};

/* The query string that the command line's selectors make, "" without any. The caller frees; NULL
 * when out of memory. */
char *stream_selectors(const struct options *opt);

/* ns (borrowed) NULL: all namespaces. NULL when out of memory. */
struct stream *stream_open(
    struct env *env, struct streams *set, const struct type *type, const char *ns);
/* Ends its request and frees it. */
void stream_close(struct stream *s);

/* It has its snapshot, and is not about to take another one. */
bool stream_complete(const struct stream *s);

/* Goes on from that resourceVersion, without a snapshot. For one that has just been opened. */
void stream_resume(struct stream *s, const char *version);

/* Does what the state asks for: makes its request, if it has its turn. */
enum stream_wait stream_step(struct stream *s);
/* The deadline has passed. */
enum stream_wait stream_timeout(struct stream *s, int64_t now_ms);
/* Discovery lacks the type: asks the server at once, since a server that has just started tells of
 * fewer types than it has. 404 or 403 lead to UNCONFIRMED, and anything else is good. */
void stream_doubt(struct stream *s);
/* Takes a snapshot of a stream that is complete, as of where it has come to: a list at exactly that
 * resourceVersion, so that no change is missed between the watch before and the one after. */
void stream_resync(struct stream *s);

/* The server's history has gone back behind what is known, as after a backup was restored: a gap and
 * a snapshot. */
void stream_went_back(struct stream *s);

/* Discovery says whether the type is still there; for UNCONFIRMED. */
void stream_confirm(struct stream *s, bool exists);
/* Writes the gone mark and ends. */
void stream_gone(struct stream *s);

/* The transitions, for answer.c. */
enum stream_wait stream_list(struct stream *s);                /* the next page */
enum stream_wait stream_watch(struct stream *s, bool initial); /* initial: a WatchList */
enum stream_wait stream_pause(struct stream *s, int64_t when_ms, enum stream_state resume);
/* After a failure: waits as the backoff has it, and at least so long; then goes on. */
enum stream_wait stream_retry(struct stream *s, int64_t at_least_ms);
enum stream_wait stream_end(struct stream *s);
/* Where a stream goes on after a failure: a list at its page, through the queue. */
enum stream_state stream_resume_state(const struct stream *s);

/* In stream_tell.c. */

/* Says what s->status has, once until the stream has been well again. */
void stream_complain(struct stream *s);

/* For the readers of bodies (list.c, watch.c). Each returns 0, or -1 with s->end set. */
int stream_mark(struct stream *s, const char *mark, const char *reason, const char *version);
int stream_malformed(struct stream *s, const char *what, const char *why);
int stream_output(struct stream *s, enum sink_result result);
int stream_set_version(char *to, const struct json_str *version);
/* The server watches on from where an earlier run had come to: says so, before its first event.
 */
int stream_resumed(struct stream *s);
/* The snapshot is complete at that resourceVersion: the end mark, and the turn is given back.
 */
int stream_synced(struct stream *s, const char *version);
/* The server does as it should: what was reported may be reported again. */
void stream_healthy(struct stream *s);

#endif
