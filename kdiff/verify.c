/* SPDX-License-Identifier: Apache-2.0 */
/* Reads every row of the store: that it is what was written, and that the tables agree. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "event.h"
#include "fingerprint.h"
#include "store_table.h"

/* What objects are checked against. */
struct seen_stream {
	uint32_t id;
	uint32_t snapshot;
};

struct verify {
	struct kdiff *k;
	const struct log *log;
	struct store *store;
	uint64_t faults;
	uint64_t objects;
	uint64_t names;
	uint64_t kinds;
	struct seen_stream *streams; /* sorted by id */
	size_t n_streams;
	struct buf state;
	/* Of the outbox. */
	uint64_t rows;
	uint64_t bytes;
	uint64_t first;
	uint64_t last;
	uint64_t holes;
	uint64_t collapsed;
};

/* A key as a person may tell it to another. */
struct shown {
	char text[2 * 24 + 4];
};

static struct shown
show(struct bytes key)
{
	struct shown shown;
	size_t n = key.len < 24 ? key.len : 24;

	for (size_t i = 0; i < n; i++)
		snprintf(shown.text + 2 * i, 3, "%02x", (unsigned char)key.p[i]);
	snprintf(shown.text + 2 * n, 4, "%s", n < key.len ? "..." : "");
	return shown;
}

static void
fault(struct verify *v, const char *table, struct bytes key, const char *what)
{
	log_error(v->log, "%s: table %s, key %s: %s", store_path(v->store), table,
	    show(key).text, what);
	v->faults++;
}

static int
compare_ids(const void *a, const void *b)
{
	uint32_t x = ((const struct seen_stream *)a)->id;
	uint32_t y = ((const struct seen_stream *)b)->id;

	return (x > y) - (x < y);
}

static int
check_kind(void *arg, struct bytes key, struct bytes row)
{
	struct verify *v = arg;
	struct bytes value;

	if (!store_row_parse(key, row, &value))
		fault(v, "kinds", key, "the checksum is wrong");
	v->kinds++;
	return 0;
}

static int
check_stream(void *arg, struct bytes key, struct bytes row)
{
	struct verify *v = arg;
	char name[STORE_NAME_MAX];
	struct seen_stream *more;
	struct stream_row r;
	struct bytes value;
	struct bytes want;

	if (!store_row_parse(key, row, &value) || stream_row_read(value, &r) == -1) {
		fault(v, "streams", key, "the checksum is wrong");
		return 0;
	}
	want = stream_row_key(r.path, name);
	if (want.len != key.len || memcmp(want.p, key.p, key.len) != 0)
		fault(v, "streams", key, "it is the row of another stream");
	more = realloc(v->streams, (v->n_streams + 1) * sizeof(*more));
	if (more == NULL) {
		log_error(v->log, "out of memory");
		return -1;
	}
	v->streams = more;
	v->streams[v->n_streams++] = (struct seen_stream){r.id, r.snapshot};
	return 0;
}

static void
check_stream_ids(struct verify *v)
{
	if (v->n_streams > 0)
		qsort(v->streams, v->n_streams, sizeof(v->streams[0]), compare_ids);
	for (size_t i = 1; i < v->n_streams; i++) {
		if (v->streams[i].id == v->streams[i - 1].id)
			fault(v, "streams", (struct bytes){NULL, 0},
			    "two of them have the same id");
	}
}

/* The object's stream is one that there is, and has had that snapshot. */
static bool
stream_is_known(const struct verify *v, const struct known *known)
{
	struct seen_stream key = {.id = known->stream};
	const struct seen_stream *found;

	if (known->stream == 0)
		return true;
	if (v->n_streams == 0)
		return false;
	found = bsearch(&key, v->streams, v->n_streams, sizeof(v->streams[0]), compare_ids);
	return found != NULL && known->snapshot <= found->snapshot;
}

/* The state is that of the object that the row says, with the hash that it says. */
static const char *
state_fault(struct verify *v, const struct known *known)
{
	struct object o;
	const char *why;
	uint64_t hash[2];
	size_t at;

	v->state.len = 0;
	if (!kinds_unpacks(v->k->kinds, &known->state, &v->state))
		return "the state cannot be unpacked";
	if (object_scan(v->state.data, v->state.len, &o, &why, &at) == -1)
		return "the state is no object";
	fingerprint(&o, hash);
	return hash[0] == known->hash[0] && hash[1] == known->hash[1]
		   ? NULL
		   : "the state has another hash";
}

/* The name leads to the object. */
static bool
name_leads_to(struct verify *v, const struct known *known, struct bytes uid)
{
	unsigned char name[STORE_NAME_MAX + 4];
	size_t len = store_name_key(known->state.kind, known->ns, known->name, name);
	MDB_val value;

	return store_table_get(v->store, NAMES, name, len, &value) == 1 &&
	       value.mv_size == uid.len && memcmp(value.mv_data, uid.p, uid.len) == 0;
}

static int
check_object(void *arg, struct bytes uid, struct bytes row)
{
	struct verify *v = arg;
	struct known known;
	const char *why;

	v->objects++;
	if (!store_object_parse(uid, row, &known)) {
		fault(v, "objects", uid, "the checksum is wrong");
		return 0;
	}
	if (!name_leads_to(v, &known, uid))
		fault(v, "objects", uid, "its name does not lead to it");
	if (!stream_is_known(v, &known))
		fault(v, "objects", uid, "its stream or snapshot is not known");
	if (known.seq > store_seq(v->store))
		fault(v, "objects", uid, "its last record is yet to come");
	why = state_fault(v, &known);
	if (why != NULL)
		fault(v, "objects", uid, why);
	return 0;
}

/* Behind the name is an object that has it. */
static int
check_name(void *arg, struct bytes key, struct bytes uid)
{
	struct verify *v = arg;
	unsigned char name[STORE_NAME_MAX + 4];
	struct known known;
	MDB_val row;
	size_t len;

	v->names++;
	if (store_table_get(v->store, OBJECTS, uid.p, uid.len, &row) != 1) {
		fault(v, "names", key, "there is no object behind it");
		return 0;
	}
	if (!store_object_parse(uid, (struct bytes){row.mv_data, row.mv_size}, &known))
		return 0; /* that has been said */
	len = store_name_key(known.state.kind, known.ns, known.name, name);
	if (len != key.len || memcmp(name, key.p, len) != 0)
		fault(v, "names", key, "the object behind it has another");
	return 0;
}

static bool
unpacks(struct verify *v, const struct packed *state)
{
	v->state.len = 0;
	return state->bytes.p == NULL || kinds_unpacks(v->k->kinds, state, &v->state);
}

static int
check_row(void *arg, struct bytes key, struct bytes value)
{
	struct verify *v = arg;
	struct outbox_row row;

	v->rows++;
	v->bytes += outbox_cost(value);
	if (!outbox_parse(key, value, &row)) {
		fault(v, "outbox", key, "the checksum is wrong");
		return 0;
	}
	if (!unpacks(v, &row.then) || !unpacks(v, &row.now))
		fault(v, "outbox", key, "a state cannot be unpacked");
	if (v->first == 0)
		v->first = row.seq;
	else
		v->holes += row.seq - v->last - 1;
	v->last = row.seq;
	v->collapsed += row.collapsed;
	return 0;
}

/* Only a record that stands for others leaves holes, and all of them stand before it. */
static void
check_outbox(struct verify *v)
{
	static const struct bytes all = {NULL, 0};

	if (v->rows != outbox_rows(v->store) || v->bytes != outbox_bytes(v->store))
		fault(v, "outbox", all, "it is not as large as it is said to be");
	if (v->rows > 0 && v->last != store_seq(v->store))
		fault(v, "outbox", all, "it does not end with the last record");
	if (v->holes > v->collapsed)
		fault(v, "outbox", all, "records are missing");
}

static int
check_all(struct verify *v)
{
	if (store_walk(v->store, KINDS, check_kind, v) == -1 ||
	    store_walk(v->store, STREAMS, check_stream, v) == -1)
		return -1;
	check_stream_ids(v);
	if (store_walk(v->store, OBJECTS, check_object, v) == -1 ||
	    store_walk(v->store, NAMES, check_name, v) == -1 ||
	    store_walk(v->store, OUTBOX, check_row, v) == -1)
		return -1;
	check_outbox(v);
	return 0;
}

int
verify(struct kdiff *k)
{
	struct verify v = {.k = k, .log = &k->tool.log};
	int status = commands_open(k);

	if (status != -1)
		return status;
	v.store = k->store;
	buf_init(&v.state, (size_t)128 << 20);
	status = check_all(&v) == -1 || v.faults > 0 ? EXIT_FAILED : EXIT_OK;
	printf("%" PRIu64 " objects, %" PRIu64 " kinds, %zu streams; outbox: %" PRIu64
	       " records, %" PRIu64 " bytes; last seq %" PRIu64 "; %" PRIu64 " faults\n",
	    v.objects, v.kinds, v.n_streams, v.rows, v.bytes, store_seq(k->store), v.faults);
	if (fflush(stdout) == EOF)
		status = EXIT_FAILED;
	free(v.streams);
	buf_free(&v.state);
	return status;
}
