/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/window.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

enum { MESSAGES = 8, LARGE = 1000000 };

/* A window with messages 1, 2, … of these keys, one character each. */
static struct window *
filled(const char *keys, bool ordered)
{
	struct window *w = window_open(MESSAGES, LARGE, ordered);

	for (size_t i = 0; w != NULL && keys[i] != '\0'; i++) {
		struct message m = {.seq = i + 1, .key = &keys[i], .key_len = 1, .len = 10};

		window_add(w, &m);
	}
	return w;
}

/* Sends what may be sent at this time; their numbers, as digits. */
static const char *
sent(struct window *w, int64_t now, struct message *out[MESSAGES + 1])
{
	static char numbers[MESSAGES + 1];
	struct message *m;
	size_t n = 0;

	while ((m = window_next(w, now)) != NULL && n < MESSAGES) {
		window_sent(w, m);
		out[m->seq] = m;
		numbers[n++] = (char)('0' + m->seq);
	}
	numbers[n] = '\0';
	return numbers;
}

static void
one_of_a_key(struct tap *tap)
{
	struct message *m[MESSAGES + 1] = {NULL};
	struct window *w = filled("aabac", false);

	tap_ok(tap, strcmp(sent(w, 0, m), "135") == 0, "one of each key is out");
	window_done(w, m[3]);
	tap_ok(tap, window_acked(w) == 0, "nothing is acknowledged before the first is done");
	window_done(w, m[1]);
	tap_ok(tap, window_acked(w) == 1 && window_count(w) == 3, "up to the first");
	tap_ok(tap, strcmp(sent(w, 0, m), "2") == 0, "then the key's next");
	window_retry(w, m[2], 500);
	tap_ok(tap, window_wait_ms(w, 100) == 400 && *sent(w, 499, m) == '\0',
	    "what comes back waits, and those behind it with it");
	window_done(w, m[5]);
	tap_ok(
	    tap, window_acked(w) == 1, "others are not held up, but not acknowledged either");
	tap_ok(tap, strcmp(sent(w, 500, m), "2") == 0 && window_attempts(m[2]) == 2,
	    "it is sent again when it is due");
	window_done(w, m[2]);
	tap_ok(tap, strcmp(sent(w, 500, m), "4") == 0, "and then the next");
	window_done(w, m[4]);
	tap_ok(tap, window_acked(w) == 5 && window_count(w) == 0 && window_bytes(w) == 0,
	    "at the end all is acknowledged");
	window_close(w);
}

static void
not_taken(struct tap *tap)
{
	struct window *w = filled("ab", false);
	struct message *m = window_next(w, 0);

	window_sent(w, m);
	window_unsent(w, m);
	tap_ok(tap,
	    window_next(w, 0) == m && window_in_flight(w) == 0 && window_attempts(m) == 0,
	    "what the bus did not take is the next again");
	window_close(w);
}

static void
ordered(struct tap *tap)
{
	struct message *m[MESSAGES + 1] = {NULL};
	struct window *w = filled("aabac", true);

	tap_ok(tap, strcmp(sent(w, 0, m), "12345") == 0, "ordered: all are out at once");
	window_done(w, m[1]);
	window_retry(w, m[2], 300);
	window_done(w, m[3]);
	tap_ok(tap, *sent(w, 1000, m) == '\0' && window_wait_ms(w, 1000) == -1,
	    "when one comes back nothing is sent while others are out");
	window_retry(w, m[4], 400);
	window_retry(w, m[5], 200);
	tap_ok(tap, *sent(w, 399, m) == '\0' && window_wait_ms(w, 399) == 1,
	    "nor before all are due");
	tap_ok(tap, strcmp(sent(w, 400, m), "245") == 0, "then again, from the oldest");
	window_done(w, m[5]);
	window_done(w, m[2]);
	tap_ok(tap, window_acked(w) == 3, "acknowledged up to what is still out");
	window_done(w, m[4]);
	tap_ok(tap, window_acked(w) == 5, "ordered: at the end all is acknowledged");
	window_close(w);
}

/* What the bus does not take whole is sent again at once, before what is behind it. */
static void
smaller(struct tap *tap)
{
	struct message *m[MESSAGES + 1] = {NULL};
	struct window *w = filled("aab", false);
	size_t bytes = window_bytes(w);
	struct message *first = window_next(w, 0);

	sent(w, 0, m);
	first->smaller = malloc(5);
	first->whole.len = first->len;
	first->len = 5;
	window_smaller(w, first);
	tap_ok(tap, window_bytes(w) == bytes + 5 && window_in_flight(w) == 1,
	    "a smaller form counts beside the whole");
	tap_ok(tap, strcmp(sent(w, 0, m), "1") == 0, "it is the next of its key, at once");
	window_done(w, m[1]);
	tap_ok(tap, strcmp(sent(w, 0, m), "2") == 0, "then comes what is behind it");
	window_done(w, m[2]);
	window_done(w, m[3]);
	tap_ok(tap, window_bytes(w) == 0, "all is given back");
	window_close(w);
}

static void
smaller_ordered(struct tap *tap)
{
	struct message *m[MESSAGES + 1] = {NULL};
	struct window *w = filled("aaa", true);

	tap_ok(tap, strcmp(sent(w, 0, m), "123") == 0, "ordered: three are out");
	window_smaller(w, m[2]);
	tap_ok(tap, *sent(w, 0, m) == '\0', "a smaller form waits while others are out");
	window_retry(w, m[3], 100);
	window_done(w, m[1]);
	tap_ok(tap, *sent(w, 99, m) == '\0' && window_wait_ms(w, 99) == 1,
	    "and while what came back is not due");
	tap_ok(tap, strcmp(sent(w, 100, m), "23") == 0, "then it goes on with it");
	window_smaller(w, m[3]);
	window_done(w, m[2]);
	tap_ok(tap, window_wait_ms(w, 100) == 0 && strcmp(sent(w, 100, m), "3") == 0,
	    "alone it does not wait");
	window_close(w);
}

static void
failed(struct tap *tap)
{
	struct message *m[MESSAGES + 1] = {NULL};
	struct window *w = filled("abc", false);

	sent(w, 0, m);
	window_done(w, m[1]);
	window_fail(w, m[2]);
	window_done(w, m[3]);
	tap_ok(tap, window_acked(w) == 1 && window_count(w) == 0,
	    "nothing from a failed message on is acknowledged");
	window_close(w);
}

static void
room(struct tap *tap)
{
	struct window *w = window_open(2, 100, false);
	struct message m = {.seq = 1, .key = "k", .key_len = 1, .len = 60};

	tap_ok(tap, window_has_room(w, 5000), "one that is too large has room alone");
	window_add(w, &m);
	tap_ok(tap,
	    !window_has_room(w, 5000) && !window_has_room(w, 41) && window_has_room(w, 20),
	    "others as far as the bytes go");
	m.len = 1;
	window_add(w, &m);
	tap_ok(tap, !window_has_room(w, 1), "and the count");
	window_close(w);
}

/* One that is full is filled up again when an eighth is free. */
static void
eased(struct tap *tap)
{
	struct window *w = window_open(16, 1000, false);
	struct message m = {.seq = 1, .key = "k", .key_len = 1};
	struct message *sending;

	tap_ok(tap, window_has_eased(w, 5000), "an empty one has room for anything");
	for (int i = 0; i < 16; i++)
		window_add(w, &m);
	sending = window_next(w, 0);
	window_sent(w, sending);
	window_done(w, sending);
	tap_ok(tap, window_has_room(w, 1) && !window_has_eased(w, 1), "a place is too little");
	sending = window_next(w, 0);
	window_sent(w, sending);
	window_done(w, sending);
	tap_ok(tap, window_has_eased(w, 1), "an eighth of the places will do");
	window_close(w);

	w = window_open(16, 1000, false);
	m.len = 900;
	window_add(w, &m);
	tap_ok(tap, window_has_room(w, 1) && !window_has_eased(w, 1), "so with the bytes");
	window_close(w);
}

/* The ring goes round many times; the keys' order holds with random verdicts. */
static void
churn(struct tap *tap)
{
	struct window *w = window_open(MESSAGES, LARGE, false);
	struct message *out[MESSAGES];
	uint64_t last[3] = {0};
	uint64_t next = 1;
	unsigned random = 1;
	size_t n = 0;
	bool good = true;

	for (int64_t now = 0; now < 20000; now++) {
		static const char keys[] = "abc";
		struct message m = {.seq = next, .key = &keys[next % 3], .key_len = 1};
		struct message *sending = window_next(w, now);

		if (window_has_room(w, 1)) {
			window_add(w, &m);
			next++;
		}
		if (sending != NULL) {
			window_sent(w, sending);
			out[n++] = sending;
		}
		random = random * 1103515245 + 12345;
		if (n == 0 || random >> 30 == 0)
			continue;
		sending = out[random % n];
		out[random % n] = out[n - 1];
		n--;
		if (random >> 29 & 1) {
			window_retry(w, sending, now + 3);
		} else {
			good = good && sending->seq > last[sending->seq % 3];
			last[sending->seq % 3] = sending->seq;
			window_done(w, sending);
		}
	}
	tap_ok(tap, good && next > 2000 && window_acked(w) + MESSAGES >= next - 1, "churn");
	window_close(w);
}

int
main(void)
{
	struct tap tap = {0};

	one_of_a_key(&tap);
	not_taken(&tap);
	ordered(&tap);
	smaller(&tap);
	smaller_ordered(&tap);
	failed(&tap);
	room(&tap);
	eased(&tap);
	churn(&tap);
	return tap_done(&tap);
}
