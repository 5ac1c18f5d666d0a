/* SPDX-License-Identifier: Apache-2.0 */
#include "kdiff/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kdiff/store_table.h"
#include "tap.h"

static struct log quiet = {.tool = "kdiff_store", .fd = -1};
static char dir[64];

/* Like quiet, but what it says can be read from fds[0]. */
static bool
said(int fds[2], const char *part)
{
	char text[2000];
	ssize_t n = read(fds[0], text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return strstr(text, part) != NULL;
}

static struct store *
open_store(const struct log *log, const char *where)
{
	struct store_options options = {.dir = where};
	bool refused;

	return store_open(log, &options, &refused);
}

static struct bytes
bytes(const char *text)
{
	return (struct bytes){text, text != NULL ? strlen(text) : 0};
}

static struct uid_key
uid_of(const char *text)
{
	struct uid_key key = {.len = 0};

	uid_key_of(bytes(text), &key);
	return key;
}

static bool
same_uid(const struct uid_key *a, const char *b)
{
	struct uid_key key = uid_of(b);

	return a->len == key.len && memcmp(a->bytes, key.bytes, key.len) == 0;
}

static void
put(struct store *s, uint32_t kind, const char *ns, const char *name, const char *uid)
{
	struct uid_key key = uid_of(uid);
	struct known known = {
	    .hash = {1, 2},
	    .seq = 5,
	    .stream = 3,
	    .snapshot = 4,
	    .resource_version = bytes("123"),
	    .ns = bytes(ns),
	    .name = bytes(name),
	    .state = {.kind = kind, .dictionary = 1, .size = 77, .bytes = bytes("packed")},
	};

	store_put(s, &key, &known);
	store_name_put(s, kind, bytes(ns), bytes(name), &key);
}

/* The uids that a walk gives, one letter each, removing each from the store on the way when
 * told so. */
static const char *
walk(struct store *s, uint32_t kind, const char *ns, bool removing)
{
	static char found[64];
	struct name_walk w = {.len = 0};
	struct uid_key uid;
	struct known known;
	size_t n = 0;

	while (n < sizeof(found) - 1 && store_name_next(s, kind, bytes(ns), &w, &uid) == 1) {
		found[n++] = (char)uid.bytes[1];
		if (removing && store_get(s, &uid, &known) == 1) {
			store_name_remove(s, kind, known.ns, known.name, &uid);
			store_remove(s, &uid);
			store_commit(s);
			store_begin(s, 0);
		}
	}
	found[n] = '\0';
	return found;
}

static void
objects(struct tap *tap, struct store *s)
{
	struct uid_key key = uid_of("a");
	struct known known = {.seq = 0};
	size_t n = 0;

	put(s, 1, "shop", "web", "a");
	tap_ok(tap,
	    store_get(s, &key, &known) == 1 && known.hash[0] == 1 && known.hash[1] == 2 &&
		known.seq == 5 && known.stream == 3 && known.snapshot == 4 &&
		known.state.kind == 1 && known.state.dictionary == 1 &&
		known.state.size == 77 && known.resource_version.len == 3 &&
		memcmp(known.ns.p, "shop", 4) == 0 && memcmp(known.name.p, "web", 3) == 0 &&
		known.state.bytes.len == 6 && memcmp(known.state.bytes.p, "packed", 6) == 0,
	    "what is put is got");
	tap_ok(tap,
	    store_mark_seen(s, &key, 8, 9) == 0 && store_get(s, &key, &known) == 1 &&
		known.stream == 8 && known.snapshot == 9 && known.state.size == 77 &&
		memcmp(known.state.bytes.p, "packed", 6) == 0,
	    "seen in another snapshot");
	key = uid_of("nobody");
	tap_ok(tap,
	    store_get(s, &key, &known) == 0 && store_mark_seen(s, &key, 1, 1) == 0 &&
		store_remove(s, &key) == 0,
	    "one that is not there");
	tap_ok(tap, store_objects(s, &n) == 0 && n == 1, "how many there are");
	key = uid_of("a");
	store_name_remove(s, 1, bytes("shop"), bytes("web"), &key);
	store_remove(s, &key);
}

static void
names(struct tap *tap, struct store *s)
{
	char name1[1000];
	char name2[1000];
	struct uid_key uid = uid_of("x");
	struct uid_key found;

	put(s, 1, "a", "1", "A");
	put(s, 1, "a", "2", "B");
	put(s, 1, "ab", "1", "C");
	put(s, 1, NULL, "cluster", "D");
	put(s, 2, "a", "1", "E");
	put(s, 256, "a", "1", "F");
	tap_ok(tap, strcmp(walk(s, 1, NULL, false), "DABC") == 0,
	    "a walk over all names of a kind");
	tap_ok(tap, strcmp(walk(s, 1, "a", false), "AB") == 0,
	    "over those of a namespace, not of one longer");
	tap_ok(tap,
	    strcmp(walk(s, 2, NULL, false), "E") == 0 &&
		strcmp(walk(s, 256, "a", false), "F") == 0 &&
		strcmp(walk(s, 3, NULL, false), "") == 0 &&
		strcmp(walk(s, 1, "b", false), "") == 0,
	    "other kinds and namespaces");
	tap_ok(tap,
	    store_name_get(s, 1, bytes("ab"), bytes("1"), &found) == 1 &&
		same_uid(&found, "C") &&
		store_name_get(s, 1, bytes("ab"), bytes("2"), &found) == 0,
	    "a name leads to its uid");
	store_name_remove(s, 1, bytes("ab"), bytes("1"), &uid);
	tap_ok(tap, store_name_get(s, 1, bytes("ab"), bytes("1"), &found) == 1,
	    "a name is not removed for another uid");
	tap_ok(tap,
	    strcmp(walk(s, 1, "a", true), "AB") == 0 &&
		strcmp(walk(s, 1, NULL, false), "DC") == 0,
	    "removed while walking, none is left out");
	memset(name1, 'n', sizeof(name1) - 1);
	memset(name2, 'n', sizeof(name2) - 1);
	name1[sizeof(name1) - 1] = name2[sizeof(name2) - 1] = '\0';
	name2[sizeof(name2) - 2] = 'm';
	put(s, 5, name1, name1, "1");
	put(s, 5, name1, name2, "2");
	put(s, 5, name2, name1, "3");
	tap_ok(tap,
	    store_name_get(s, 5, bytes(name1), bytes(name1), &found) == 1 &&
		same_uid(&found, "1") &&
		store_name_get(s, 5, bytes(name1), bytes(name2), &found) == 1 &&
		same_uid(&found, "2") &&
		store_name_get(s, 5, bytes(name2), bytes(name1), &found) == 1 &&
		same_uid(&found, "3") && strlen(walk(s, 5, name1, false)) == 2 &&
		strlen(walk(s, 5, NULL, false)) == 3,
	    "names longer than a key are told apart");
}

static int
count_row(void *arg, struct bytes key, struct bytes value)
{
	*(size_t *)arg += key.len + value.len;
	return 0;
}

static void
rows(struct tap *tap, struct store *s)
{
	struct bytes value;
	size_t n = 0;

	tap_ok(tap,
	    store_row_put(s, STORE_KINDS, bytes("k"), bytes("one")) == 0 &&
		store_row_put(s, STORE_STREAMS, bytes("k"), bytes("two")) == 0 &&
		store_row_get(s, STORE_KINDS, bytes("k"), &value) == 1 &&
		memcmp(value.p, "one", 3) == 0 &&
		store_row_get(s, STORE_STREAMS, bytes("k"), &value) == 1 &&
		memcmp(value.p, "two", 3) == 0 &&
		store_row_get(s, STORE_KINDS, bytes("x"), &value) == 0,
	    "rows of kinds and streams");
	tap_ok(tap,
	    store_row_each(s, STORE_KINDS, count_row, &n) == 0 && n == 4 &&
		store_row_remove(s, STORE_KINDS, bytes("k")) == 0 &&
		store_row_get(s, STORE_KINDS, bytes("k"), &value) == 0,
	    "each row, and one that is removed");
}

static void
uids(struct tap *tap)
{
	struct uid_key key;
	char longest[STORE_UID_MAX + 1];

	key = uid_of("e3dcd4cc-edb4-4325-9232-652542fe7260");
	tap_ok(tap, key.len == 17 && key.bytes[1] == 0xe3 && key.bytes[16] == 0x60,
	    "a UUID takes 17 bytes");
	tap_ok(tap,
	    uid_of("E3dcd4cc-edb4-4325-9232-652542fe7260").len == 37 &&
		uid_of("e3dcd4cc-edb4-4325-9232-652542fe726").len == 36 &&
		uid_of("e3dcd4ccxedb4-4325-9232-652542fe7260").len == 37,
	    "what only looks like one stays as it is");
	memset(longest, 'u', sizeof(longest));
	tap_ok(tap,
	    uid_key_of((struct bytes){longest, STORE_UID_MAX - 1}, &key) == 0 &&
		uid_key_of((struct bytes){longest, STORE_UID_MAX}, &key) == -1,
	    "one that is too long");
}

static void
reopen(struct tap *tap)
{
	struct store *s = open_store(&quiet, dir);
	struct uid_key key = uid_of("a");
	struct known known;

	if (!tap_ok(tap, s != NULL && store_begin(s, 0) == STORE_OK, "a store in a directory"))
		return;
	store_set_seq(s, 42);
	put(s, 1, "shop", "web", "a");
	store_commit(s);
	store_begin(s, 0);
	put(s, 1, "shop", "other", "b");
	store_close(s); /* not committed */
	s = open_store(&quiet, dir);
	tap_ok(tap,
	    s != NULL && store_begin(s, 0) == 0 && store_get(s, &key, &known) == 1 &&
		known.state.size == 77 && store_seq(s) == 42,
	    "opened again it has what was committed");
	key = uid_of("b");
	tap_ok(tap,
	    store_get(s, &key, &known) == 0 && strcmp(walk(s, 1, NULL, false), "a") == 0,
	    "and not what was not");
	store_close(s);
}

static void
locked(struct tap *tap)
{
	struct log log = {.tool = "t"};
	int ready[2];
	int done[2];
	int messages[2];
	struct store *s;
	char byte = 0;
	pid_t pid;

	if (pipe(ready) == -1 || pipe(done) == -1 || pipe(messages) == -1 ||
	    (pid = fork()) == -1) {
		tap_ok(tap, false, "another process");
		return;
	}
	if (pid == 0) {
		close(done[1]);
		s = open_store(&quiet, dir);
		if (write(ready[1], s != NULL ? "y" : "n", 1) != 1 ||
		    read(done[0], &byte, 1) == -1)
			_exit(1);
		store_close(s);
		_exit(0);
	}
	log.fd = messages[1];
	tap_ok(tap, read(ready[0], &byte, 1) == 1 && byte == 'y',
	    "another process has the store open");
	tap_ok(tap,
	    open_store(&log, dir) == NULL &&
		said(messages, "another kdiff uses this state directory"),
	    "a second one is refused, and told why");
	close(done[1]);
	waitpid(pid, NULL, 0);
	s = open_store(&quiet, dir);
	tap_ok(tap, s != NULL, "not once the first has gone");
	store_close(s);
}

static void
refused(struct tap *tap)
{
	struct log log = {.tool = "t"};
	struct store_options options = {.dir = dir};
	uint32_t version = 999;
	int messages[2];
	bool is_refused;
	struct store *s = open_store(&quiet, dir);

	if (s == NULL || pipe(messages) == -1) {
		tap_ok(tap, false, "set up");
		return;
	}
	log.fd = messages[1];
	store_begin(s, 0);
	store_table_put(s, META, "version", 7, store_value(&version, sizeof(version)));
	store_commit(s);
	store_close(s);
	tap_ok(tap,
	    store_open(&log, &options, &is_refused) == NULL && is_refused &&
		said(messages, "the store has format 999, and this kdiff takes 2"),
	    "a store of another version");
	tap_ok(tap,
	    open_store(&log, "/dev/null/x") == NULL &&
		said(messages, "/dev/null/x: cannot make the state"),
	    "a directory that cannot be made");
	setenv("TMPDIR", "/nonexistent", 1);
	tap_ok(tap,
	    open_store(&log, NULL) == NULL &&
		said(messages, "/nonexistent: cannot make a temporary store"),
	    "a temporary directory that is not there");
}

/* A bit of a row is another: it is found out when the row is read, and after that nothing is
 * committed. */
static void
changed_bit(struct tap *tap, enum table table, const void *key, size_t key_len, size_t at)
{
	struct uid_key uid = uid_of("a");
	struct store *s = open_store(&quiet, NULL);
	struct known known;
	struct bytes found;
	MDB_val value;
	char copy[400];
	int have = 0;

	if (s == NULL || store_begin(s, 0) != STORE_OK) {
		tap_ok(tap, false, "set up");
		return;
	}
	put(s, 1, "shop", "web", "a");
	store_row_put(s, STORE_KINDS, bytes("k"), bytes("one"));
	store_row_put(s, STORE_STREAMS, bytes("k"), bytes("two"));
	if (store_table_get(s, table, key, key_len, &value) == 1 &&
	    value.mv_size <= sizeof(copy) && at < value.mv_size) {
		memcpy(copy, value.mv_data, value.mv_size);
		copy[at] ^= 4;
		value.mv_data = copy;
		store_table_put(s, table, key, key_len, value);
		if (table == OBJECTS)
			have = store_get(s, &uid, &known);
		else
			have = store_row_get(s, table == KINDS ? STORE_KINDS : STORE_STREAMS,
			    bytes("k"), &found);
	}
	tap_ok(tap, have == -1 && store_commit(s) == STORE_FAILED, "a bit is another");
	store_close(s);
}

static void
changed_bits(struct tap *tap)
{
	struct uid_key uid = uid_of("a");

	for (size_t at = 0; at < 80; at += 13)
		changed_bit(tap, OBJECTS, uid.bytes, uid.len, at);
	changed_bit(tap, KINDS, "k", 1, 0);
	changed_bit(tap, KINDS, "k", 1, 9);
	changed_bit(tap, STREAMS, "k", 1, 2);
}

/* More than the map has at first, in one transaction and in many. */
static void
growth(struct tap *tap, struct store *s)
{
	enum { BIG = 3 * 1024 * 1024 };
	char *state = calloc(1, BIG);
	bool ok = state != NULL;
	char name[20];
	size_t n = 0;

	for (int i = 0; ok && i < 100; i++) {
		struct uid_key key;
		struct known known = {
		    .state = {.kind = 9, .size = BIG, .bytes = {state, BIG}},
		};

		if (!store_has_room(s, BIG))
			ok = store_commit(s) == 0 && store_begin(s, BIG) == 0;
		snprintf(name, sizeof(name), "big-%d", i);
		key = uid_of(name);
		known.name = bytes(name);
		ok = ok && store_put(s, &key, &known) == 0 &&
		     store_name_put(s, 9, bytes(""), bytes(name), &key) == 0;
	}
	tap_ok(tap,
	    ok && store_commit(s) == 0 && store_begin(s, 0) == 0 && store_objects(s, &n) == 0 &&
		n >= 100,
	    "300 MB: the store grows");
	free(state);
}

/* Who was to make it was killed before the first commit: nothing is known, and nothing is damaged. */
static void
unbegun(struct tap *tap)
{
	struct store_options options = {.dir = dir, .read_only = true, .may_be_new = true};
	bool refuse;
	char path[PATH_MAX];
	MDB_env *env;
	struct store *s;

	snprintf(path, sizeof(path), "%s/store.mdb", dir);
	remove(path);
	tap_ok(tap,
	    mdb_env_create(&env) == 0 &&
		mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK, 0600) == 0,
	    "a store without a commit");
	mdb_env_close(env);
	s = store_open(&quiet, &options, &refuse);
	tap_ok(tap, s != NULL && store_is_new(s), "is new to who allows for that");
	store_close(s);
	options.may_be_new = false;
	s = store_open(&quiet, &options, &refuse);
	tap_ok(tap, s == NULL, "else there is nothing to look at");
	store_close(s);
	s = open_store(&quiet, dir);
	tap_ok(tap, s != NULL && store_lost(s) == NULL, "and is begun by who writes");
	store_close(s);
}

int
main(void)
{
	struct tap tap = {0};
	static const char *const files[] = {
	    "state/lock", "state/seq", "state/store.mdb", "state", ""};
	char template[] = "/tmp/kdiff_store-XXXXXX";
	char path[100];
	struct store *s;

	if (!tap_ok(&tap, mkdtemp(template) != NULL, "a directory"))
		return tap_done(&tap);
	snprintf(dir, sizeof(dir), "%s/state", template);
	s = open_store(&quiet, NULL);
	if (tap_ok(&tap, s != NULL && store_begin(s, 0) == 0, "a temporary store")) {
		tap_ok(&tap, access(s->path, F_OK) == -1 && errno == ENOENT,
		    "no name leads to its file");
		objects(&tap, s);
		names(&tap, s);
		rows(&tap, s);
		growth(&tap, s);
	}
	store_close(s);
	store_close(NULL);
	uids(&tap);
	reopen(&tap);
	locked(&tap);
	changed_bits(&tap);
	refused(&tap);
	unbegun(&tap);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", template, files[i]);
		tap_ok(&tap, remove(path) == 0, "cleaned up");
	}
	return tap_done(&tap);
}
