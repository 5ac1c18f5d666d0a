/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/rabbit_unconfirmed.h"

#include <string.h>

#include "tap.h"

enum { TAGS = 4, MESSAGES = 8, ID_LEN = 2 };

static const char *const ids[MESSAGES] = {"m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7"};

struct fixture {
	struct message m[MESSAGES];
	struct rabbit_unconfirmed *u;
};

/* With the first n messages: message i has tag i + 1. */
static void
begin(struct fixture *f, size_t n)
{
	*f = (struct fixture){.u = rabbit_unconfirmed_open(TAGS)};
	for (size_t i = 0; i < MESSAGES; i++)
		f->m[i].id = (struct text){ids[i], ID_LEN};
	for (size_t i = 0; i < n; i++)
		rabbit_unconfirmed_add(f->u, &f->m[i]);
}

/* The numbers of the messages that a confirm takes, with an r behind what was returned. */
static const char *
taken(struct fixture *f, uint64_t tag, bool multiple)
{
	static char text[3 * MESSAGES];
	struct message *m;
	bool returned;
	size_t n = 0;

	while ((m = rabbit_unconfirmed_take(f->u, tag, multiple, &returned)) != NULL) {
		text[n++] = m->id.p[1];
		if (returned)
			text[n++] = 'r';
	}
	text[n] = '\0';
	return text;
}

static void
confirms(struct tap *tap)
{
	struct fixture f;

	begin(&f, TAGS);
	tap_ok(tap, rabbit_unconfirmed_full(f.u) && f.m[0].tag == 1 && f.m[3].tag == 4,
	    "tags count from 1, up to as many as there is room for");
	tap_ok(tap, strcmp(taken(&f, 3, false), "2") == 0, "one");
	tap_ok(tap, strcmp(taken(&f, 3, false), "") == 0, "not twice");
	tap_ok(
	    tap, rabbit_unconfirmed_full(f.u), "the oldest holds the place of those behind it");
	tap_ok(tap, strcmp(taken(&f, 3, true), "01") == 0, "multiple: all up to it");
	tap_ok(tap, strcmp(taken(&f, 2, true), "") == 0, "what was before is done with");
	tap_ok(tap, strcmp(taken(&f, 5, true), "") == 0, "what comes is not");
	rabbit_unconfirmed_add(f.u, &f.m[4]);
	tap_ok(tap, f.m[4].tag == 5 && strcmp(taken(&f, 0, true), "34") == 0, "0: all");
	tap_ok(tap, !rabbit_unconfirmed_full(f.u) && rabbit_unconfirmed_drop(f.u) == NULL,
	    "nothing is left");
	rabbit_unconfirmed_close(f.u);
}

static void
returns(struct tap *tap)
{
	struct fixture f;

	begin(&f, TAGS);
	f.m[3].id = f.m[1].id; /* published again with the same id */
	tap_ok(tap, rabbit_unconfirmed_return(f.u, "m1", ID_LEN), "returned");
	tap_ok(tap, !rabbit_unconfirmed_return(f.u, "m0", ID_LEN),
	    "they come back in order, so this one cannot");
	tap_ok(tap, strcmp(taken(&f, 3, true), "01r2") == 0, "its confirm tells of it");
	tap_ok(tap,
	    rabbit_unconfirmed_return(f.u, "m1", ID_LEN) &&
		strcmp(taken(&f, 4, false), "1r") == 0,
	    "the second of the same id");
	tap_ok(tap, !rabbit_unconfirmed_return(f.u, "m1", ID_LEN), "there is no third");
	rabbit_unconfirmed_close(f.u);
}

static void
dropped(struct tap *tap)
{
	struct fixture f;

	begin(&f, 3);
	taken(&f, 2, false);
	tap_ok(tap, rabbit_unconfirmed_return(f.u, "m2", ID_LEN), "returned, then all is lost");
	tap_ok(tap,
	    rabbit_unconfirmed_drop(f.u) == &f.m[0] &&
		rabbit_unconfirmed_drop(f.u) == &f.m[2] && rabbit_unconfirmed_drop(f.u) == NULL,
	    "what is unconfirmed, from the oldest");
	rabbit_unconfirmed_add(f.u, &f.m[2]);
	tap_ok(tap, f.m[2].tag == 1 && strcmp(taken(&f, 1, false), "2") == 0,
	    "a new channel counts from 1, and nothing has been returned on it");
	rabbit_unconfirmed_close(f.u);
}

int
main(void)
{
	struct tap tap = {0};

	confirms(&tap);
	returns(&tap);
	dropped(&tap);
	return tap_done(&tap);
}
