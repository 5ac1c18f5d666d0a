/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of the store, as JSON: what the pipeline believes the cluster to be. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "out.h"
#include "store_table.h"

/* An object, by what it is sorted by. Ranges are of the store's memory, which stays as it is. */
struct entry {
	struct bytes stream; /* its path; empty: it came without one */
	struct bytes ns;
	struct bytes name;
	struct packed state;
};

struct stream_path {
	uint32_t id;
	struct bytes path;
};

struct export
{
	struct store *store;
	const struct log *log;
	struct stream_path *streams;
	size_t n_streams;
	struct entry *entries;
	size_t n;
	size_t room;
};

static int
compare_bytes(struct bytes a, struct bytes b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int
compare(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;
	int order = compare_bytes(x->stream, y->stream);

	if (order == 0)
		order = compare_bytes(x->ns, y->ns);
	return order != 0 ? order : compare_bytes(x->name, y->name);
}

static int
out_of_memory(const struct export *e)
{
	log_error(e->log, "out of memory");
	return -1;
}

static int
take_stream(void *arg, struct bytes key, struct bytes value)
{
	struct export *e = arg;
	struct stream_path *more =
	    realloc(e->streams, (e->n_streams + 1) * sizeof(e->streams[0]));
	struct stream_row row;

	(void)key;
	if (more == NULL)
		return out_of_memory(e);
	e->streams = more;
	if (stream_row_read(value, &row) == -1)
		return store_damaged(e->store, "the row of a stream");
	more[e->n_streams++] = (struct stream_path){row.id, row.path};
	return 0;
}

static struct bytes
path_of(const struct export *e, uint32_t id)
{
	for (size_t i = 0; i < e->n_streams; i++) {
		if (e->streams[i].id == id)
			return e->streams[i].path;
	}
	return (struct bytes){NULL, 0};
}

static int
take_object(void *arg, struct bytes uid, struct bytes row)
{
	struct export *e = arg;
	struct entry *more;
	struct known known;

	if (!store_object_parse(uid, row, &known))
		return store_damaged(e->store, "the row of an object");
	if (e->n == e->room) {
		e->room = e->room > 0 ? 2 * e->room : 1024;
		more = realloc(e->entries, e->room * sizeof(e->entries[0]));
		if (more == NULL)
			return out_of_memory(e);
		e->entries = more;
	}
	e->entries[e->n++] = (struct entry){
	    .stream = path_of(e, known.stream),
	    .ns = known.ns,
	    .name = known.name,
	    .state = known.state,
	};
	return 0;
}

static int
print(struct kdiff *k, const struct export *e)
{
	struct buf *state = &k->state_text;
	struct out out;
	int result = 0;

	out_init(&out, STDOUT_FILENO);
	for (size_t i = 0; result == 0 && i < e->n; i++) {
		state->len = 0;
		buf_shrink(state, (size_t)1 << 20);
		result = kinds_unpack(k->kinds, &e->entries[i].state, state);
		if (result == 0 && (out_add(&out, state->data, state->len) == -1 ||
				       out_add(&out, "\n", 1) == -1))
			break;
	}
	if (result == 0 && out_flush(&out) == -1) {
		if (errno != EPIPE)
			log_error(e->log, "cannot write the objects: %s", strerror(errno));
		result = -1;
	}
	out_free(&out);
	return result;
}

int export(struct kdiff *k)
{
	struct export e = {.log = &k->tool.log};
	int status = commands_open(k);

	if (status != -1)
		return status;
	status = EXIT_FAILED;
	e.store = k->store;
	if (store_row_each(k->store, STORE_STREAMS, take_stream, &e) == 0 &&
	    store_walk(k->store, OBJECTS, take_object, &e) == 0) {
		if (e.n > 0)
			qsort(e.entries, e.n, sizeof(e.entries[0]), compare);
		status = print(k, &e) == 0 ? EXIT_OK : EXIT_FAILED;
	}
	free(e.streams);
	free(e.entries);
	return status;
}
