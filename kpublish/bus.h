/* SPDX-License-Identifier: Apache-2.0 */
/* What an event bus is to kpublish: one const table a file (bus_NAME.c), all of them listed in
 * bus.c. Everything is called from one thread; a bus whose library has threads of its own hands
 * their results over by a queue and its fd. */
#ifndef BUS_H
#define BUS_H

#include <stdbool.h>

#include "log.h"
#include "message.h"
#include "url.h"

/* What became of a message. */
enum verdict {
	VERDICT_ACKED,    /* the bus has it, as durably as it can */
	VERDICT_RETRY,    /* not now: the core sends it again, later */
	VERDICT_REJECTED, /* the bus will never take it */
	/* Nor this one, but for its size alone: where the core can make a smaller form of it,
	 * that is sent at once, as the same message with another body; else it is rejected. */
	VERDICT_TOO_LARGE,
};

enum bus_send {
	BUS_TAKEN, /* the verdict comes, or has come, by owner->verdict */
	BUS_LATER, /* not taken: try again when fd or timeout_ms has called for work */
};

/* What the core is to a bus. The functions may be called within any call to the bus. */
struct bus_owner {
	const struct log *log;
	void *core;

	/* Once for each message taken. why: what is wrong, for people (borrowed); NULL when
	 * acked, or when it is to be sent again and that is no news. */
	void (*verdict)(void *core, struct message *m, enum verdict verdict, const char *why);

	/* Something beyond one message is wrong (no connection, no permission) and is being
	 * retried. Said to people at once, a new cause too, and then once a minute until a
	 * message is acked. */
	void (*trouble)(void *core, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

	void (*connected)(void *core, bool yes);
};

struct bus {
	const char *scheme; /* as in SCHEME://… */
	const char *form;   /* for people: kafka://TOPIC */

	/* For --help, beside the form: the variables that matter most. Lines of at most 50
	 * characters, with \n between them. NULL: nothing. */
	const char *help;

	/* The query parameters that it knows, up to a NULL; others are wrong usage. NULL: it
	 * looks at them itself. */
	const char *const *params;

	/* All that was given to send has its verdict when flush returns. Nothing is copied: what
	 * then is still to be sent keeps its place in the input, of which no more is read.
	 * Implies ordered. */
	bool in_place;

	/* The bus keeps the order of what was sent through its own retries, so any number with
	 * one key may be in flight; after a VERDICT_RETRY it gives a verdict for all that it
	 * has, and the core begins again from the oldest. The same after a VERDICT_TOO_LARGE,
	 * and nothing that was sent later is accepted then, unless it came within send.
	 * Without it the core has at most one message of a key in flight. */
	bool ordered;

	/* Checks the URL and the environment and takes what is needed, but does not wait for a
	 * server. The result is passed to all below. NULL with *exit_code and a message:
	 * EXIT_USAGE for a wrong URL or variable, else EXIT_FAILED. url and owner are borrowed
	 * until close. */
	void *(*open)(const struct url *url, const struct bus_owner *owner, int *exit_code);

	/* m is borrowed until its verdict. Does not block. */
	enum bus_send (*send)(void *bus, struct message *m);

	/* Nothing more can be sent for now: what has been gathered goes out. 0; -1: the bus
	 * cannot go on, and has said why (or the reader has gone, of which nothing is said). */
	int (*flush)(void *bus);

	/* The file behind the URL may have been moved away, and is to be opened anew: SIGHUP has
	 * come. NULL: it has none. */
	void (*reopen)(void *bus);

	/* A descriptor that is readable when work has something to do (an epoll or event fd
	 * where there are several); -1: none. */
	int (*fd)(void *bus);

	/* Milliseconds until work is to be called even so; -1: no need. */
	int (*timeout_ms)(void *bus);

	/* Gives verdicts, connects again and so on. Called when the fd is readable, and at
	 * least once a second. 0 or -1 as flush. */
	int (*work)(void *bus);

	/* Lets go of everything; messages still out get no verdict. Takes NULL. */
	void (*close)(void *bus);
};

extern const struct bus bus_stdout;
extern const struct bus bus_file;
extern const struct bus bus_nats;
extern const struct bus bus_rabbit;
extern const struct bus bus_kafka;
extern const struct bus bus_awssqs;
extern const struct bus bus_awssns;
extern const struct bus bus_gcppubsub;
extern const struct bus bus_azuresb;

/* NULL: no bus has this scheme. */
const struct bus *bus_find(const char *scheme);

/* The i-th bus, NULL behind the last. */
const struct bus *bus_at(size_t i);

#endif
