/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/gcp_lanes.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

enum { MESSAGES = 64 };

static struct message messages[MESSAGES];

/* Adds one a letter of keys: all of size 10, named by their place from 1 on. */
static struct lanes *
filled(const char *keys)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	struct lanes *l = lanes_open(MESSAGES);

	for (size_t i = 0; keys[i] != '\0'; i++) {
		messages[i] =
		    (struct message){.seq = i + 1, .key = names[keys[i] - 'a'], .key_len = 1};
		lanes_add(l, &messages[i], 10);
	}
	return l;
}

/* Takes a lane: which messages are out. */
static const char *
take(struct lanes *l, size_t size, struct lane **lane)
{
	static char text[MESSAGES + 1];
	const struct message *out[GCP_MESSAGES_MAX];
	size_t n = 0;

	*lane = NULL;
	if (lanes_ready(l)) {
		*lane = lanes_take(l, size, out);
		for (n = 0; n < lane_out(*lane); n++)
			text[n] = (char)('0' + out[n]->seq);
	}
	text[n] = '\0';
	return text;
}

static void
drop(struct lanes *l, struct lane *lane)
{
	while (lanes_drop(l, lane) != NULL)
		;
}

static void
keys(struct tap *tap)
{
	struct lanes *l = filled("abaab");
	struct lane *a;
	struct lane *b;
	struct lane *none;

	tap_ok(tap, strcmp(take(l, 100, &a), "134") == 0, "all of a key at once, in order");
	tap_ok(tap, strcmp(take(l, 100, &b), "25") == 0, "another key beside it");
	tap_ok(tap, strcmp(take(l, 100, &none), "") == 0, "then nothing");
	messages[5] = (struct message){.seq = 6, .key = "a", .key_len = 1};
	lanes_add(l, &messages[5], 10);
	tap_ok(tap, !lanes_ready(l), "what comes later waits for its key");
	drop(l, a);
	tap_ok(tap, strcmp(take(l, 100, &a), "6") == 0, "until what was out is done");
	lanes_back(l, b);
	tap_ok(tap, strcmp(take(l, 100, &b), "25") == 0, "what failed goes out again");
	drop(l, a);
	drop(l, b);
	tap_ok(tap, !lanes_ready(l), "all is done");
	lanes_add(l, &messages[0], 10);
	tap_ok(tap, strcmp(take(l, 100, &a), "1") == 0, "and begins anew");
	lanes_close(l);
}

static void
sizes(struct tap *tap)
{
	struct lanes *l = filled("aaaa");
	struct lane *a;

	tap_ok(tap, strcmp(take(l, 30, &a), "123") == 0, "as many as fit");
	drop(l, a);
	tap_ok(tap, strcmp(take(l, 5, &a), "4") == 0, "one that does not fit goes alone");
	lanes_close(l);
}

/* The third of four is refused: found in halves, and the others pass. */
static void
halves(struct tap *tap)
{
	struct lanes *l = filled("aaaab");
	struct lane *lane;

	take(l, 100, &lane);
	lanes_halve(l, lane);
	tap_ok(tap, strcmp(take(l, 100, &lane), "12") == 0, "the first half at once");
	drop(l, lane);
	tap_ok(tap, strcmp(take(l, 100, &lane), "5") == 0, "the next key has its turn");
	drop(l, lane);
	tap_ok(tap, strcmp(take(l, 100, &lane), "34") == 0, "then the second half");
	lanes_halve(l, lane);
	tap_ok(tap, strcmp(take(l, 100, &lane), "3") == 0, "one alone");
	lane_found(lane);
	tap_ok(tap, lanes_drop(l, lane) == &messages[2], "is dropped");
	lanes_drop(l, lane);
	tap_ok(tap, strcmp(take(l, 100, &lane), "4") == 0, "and the rest goes on");
	lanes_close(l);
}

static void
recall(struct tap *tap)
{
	struct lanes *l = filled("aaa");
	struct lane *lane;

	take(l, 10, &lane);
	tap_ok(tap, lanes_drop(l, lane) == &messages[0], "one is dropped");
	lane_recall(lane);
	tap_ok(tap,
	    lanes_drop(l, lane) == &messages[1] && lanes_drop(l, lane) == &messages[2] &&
		lanes_drop(l, lane) == NULL && !lanes_ready(l),
	    "and all behind it with it");
	lanes_close(l);
}

/* Many keys, in and out at random, against what should be there. */
/* Knuth's linear congruential generator: the same run each time. */
static unsigned
next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(*state >> 33);
}

static void
churn(struct tap *tap)
{
	static char names[MESSAGES][2];
	struct lanes *l = lanes_open(MESSAGES);
	uint64_t last[26] = {0};
	unsigned in = 0;
	unsigned out = 0;
	uint64_t seq = 0;
	uint64_t state = 7;
	bool ok = true;

	while (out < 20000) {
		while (in - out < MESSAGES && next_random(&state) % 4 != 0) {
			struct message *m = &messages[0];

			while (m->seq != 0)
				m++;
			names[m - messages][0] = (char)('a' + next_random(&state) % 26);
			seq++;
			*m = (struct message){
			    .seq = seq, .key = names[m - messages], .key_len = 1};
			lanes_add(l, m, 1);
			in++;
		}
		if (lanes_ready(l)) {
			const struct message *taken[GCP_MESSAGES_MAX];
			struct lane *lane =
			    lanes_take(l, (size_t)(next_random(&state) % 5), taken);
			struct message *m;

			if (next_random(&state) % 3 == 0) {
				lanes_back(l, lane);
				continue;
			}
			while ((m = lanes_drop(l, lane)) != NULL) {
				ok = ok && m->seq > last[m->key[0] - 'a'];
				last[m->key[0] - 'a'] = m->seq;
				m->seq = 0;
				out++;
			}
		}
	}
	tap_ok(tap, ok, "20,000 messages of 26 keys, each in order");
	lanes_close(l);
}

int
main(void)
{
	struct tap tap = {0};

	keys(&tap);
	sizes(&tap);
	halves(&tap);
	recall(&tap);
	memset(messages, 0, sizeof(messages));
	churn(&tap);
	return tap_done(&tap);
}
