/* SPDX-License-Identifier: Apache-2.0 */
#include "managed.h"

#include <string.h>

/* More managers than any object has; what is beyond is not looked at. */
enum { ENTRIES_MAX = 64 };

struct entry {
	struct json_str manager;
	struct json_str operation;
	struct json_str subresource;
	struct json_str time;
};

static int
entry_scan(struct json *j, struct entry *entry)
{
	struct json_str key;
	int more;

	*entry = (struct entry){.manager = {.p = NULL}};
	if (json_enter(j, '{') == -1)
		return -1;
	while ((more = json_member(j, &key)) == 1) {
		bool text = json_peek(j) == '"';

		if (text && json_str_is(&key, "manager"))
			json_string(j, &entry->manager);
		else if (text && json_str_is(&key, "operation"))
			json_string(j, &entry->operation);
		else if (text && json_str_is(&key, "subresource"))
			json_string(j, &entry->subresource);
		else if (text && json_str_is(&key, "time"))
			json_string(j, &entry->time);
		else
			json_skip(j, NULL);
	}
	return more;
}

static size_t
entries_scan(struct json_range array, struct entry entries[ENTRIES_MAX])
{
	struct json j;
	size_t n = 0;

	if (array.p == NULL)
		return 0;
	json_init(&j, array.p, array.len);
	json_enter(&j, '[');
	while (n < ENTRIES_MAX && json_element(&j) == 1) {
		if (entry_scan(&j, &entries[n]) == -1)
			break;
		n++;
	}
	return n;
}

static bool
same(const struct json_str *a, const struct json_str *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->p, b->p, a->len) == 0);
}

static bool
stands_in(const struct entry *entry, const struct entry *others, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (same(&entry->time, &others[i].time) &&
		    same(&entry->manager, &others[i].manager) &&
		    same(&entry->operation, &others[i].operation) &&
		    same(&entry->subresource, &others[i].subresource))
			return true;
	}
	return false;
}

/* metav1.Time is printed in UTC with a width that never varies: bytes order as times do. */
static int
time_order(const struct json_str *a, const struct json_str *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int order = n > 0 ? memcmp(a->p, b->p, n) : 0;

	if (order != 0)
		return order;
	return a->len == b->len ? 0 : a->len < b->len ? -1 : 1;
}

/* Takes an entry that may be the answer; *differs is set once two managers claim one time. */
static void
consider(struct managed *best, const struct entry *entry, bool *differs)
{
	int order = best->time.p == NULL ? 1 : time_order(&entry->time, &best->time);

	if (order > 0) {
		*best = (struct managed){entry->time, entry->manager};
		*differs = false;
	} else if (order == 0 && !same(&entry->manager, &best->manager)) {
		*differs = true;
	}
}

struct managed
managed_update(struct json_range then, struct json_range now)
{
	struct managed best = {.time = {.p = NULL}};
	struct entry old[ENTRIES_MAX];
	struct entry new[ENTRIES_MAX];
	bool differs = false;
	size_t olds;
	size_t news;

	if (then.len == now.len && (now.len == 0 || memcmp(then.p, now.p, now.len) == 0))
		return best;
	olds = entries_scan(then, old);
	news = entries_scan(now, new);
	for (size_t i = 0; i < news; i++) {
		if (new[i].time.p != NULL && !stands_in(&new[i], old, olds))
			consider(&best, &new[i], &differs);
	}
	if (differs)
		best.manager = (struct json_str){.p = NULL};
	return best;
}

struct managed
managed_creation(struct json_range now, struct json_str creation)
{
	struct managed best = {.time = {.p = NULL}};
	struct entry entries[ENTRIES_MAX];
	bool differs = false;
	size_t n = entries_scan(now, entries);

	for (size_t i = 0; i < n; i++) {
		if (entries[i].time.p != NULL && same(&entries[i].time, &creation))
			consider(&best, &entries[i], &differs);
	}
	if (differs)
		best.manager = (struct json_str){.p = NULL};
	return best;
}
