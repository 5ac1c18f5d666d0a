/* SPDX-License-Identifier: Apache-2.0 */
/* kdiff: keeps the last state of every object and writes what changed.
 *
 * stdin:  Kubernetes watch events, one JSON object a line (or as kubectl prints them)
 * stdout: change records, one JSON object a line: kollect(5)
 * exit:   0 at the end of input with everything handed on, 1 on failure, 2 on wrong usage */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batch.h"
#include "counters.h"
#include "finish.h"
#include "gap.h"
#include "options.h"
#include "reader.h"
#include "wait.h"

static int
open_all(struct kdiff *k, bool *refused)
{
	struct store_options options = {.dir = k->state,
	    .sync_always = k->sync == SYNC_ALWAYS,
	    .cluster_id = k->cluster_id};
	struct outbox_row first;
	const char *lost;
	size_t objects;
	int have;

	k->store = store_open(&k->tool.log, &options, refused);
	if (k->store == NULL || store_begin(k->store, 0) != STORE_OK)
		return -1;
	k->kinds = kinds_open(&k->tool.log, k->store);
	if (k->kinds == NULL)
		return -1;
	k->streams = streams_open(&k->tool.log, k->store, k->kinds);
	have = outbox_get(k->store, 0, &first);
	lost = store_lost(k->store);
	if (k->streams == NULL || have == -1 || store_objects(k->store, &objects) == -1 ||
	    store_commit(k->store) != STORE_OK)
		return -1;
	k->count[COUNT_OBJECTS].value = objects;
	/* What stands in the outbox goes out first. */
	k->maybe_sent = store_seq(k->store);
	k->trimmed = have == 1 ? first.seq - 1 : k->maybe_sent;
	outflow_open(&k->outflow, &k->tool.log, STDOUT_FILENO, k->trimmed + 1);
	timefmt_now(k->observed);
	if (lost != NULL && gap_store_lost(k, lost) == -1)
		return -1;
	if (resync_init(&k->resync, &k->tool.log, k->resync_fd) == -1)
		return -1;
	return acks_init(&k->acks, &k->tool.log, k->ack_fd, k->trimmed);
}

static void
close_all(struct kdiff *k)
{
	streams_close(k->streams);
	kinds_close(k->kinds);
	store_close(k->store);
	outflow_close(&k->outflow);
	resync_free(&k->resync);
	buf_free(&k->small);
	buf_free(&k->state_text);
	for (size_t i = 0; i < sizeof(k->plain) / sizeof(k->plain[0]); i++)
		buf_free(&k->plain[i]);
	free(k->count);
}

/* May input be read now? That of a file can wait where it is: it needs no place in the spool. */
static bool
wants_input(const struct kdiff *k, bool from_file)
{
	return !from_file || !outflow_behind(&k->outflow, k->store);
}

/* Waits for input; before that, what there is goes out. 1: there is some, 0: not yet, -1. */
static int
await_input(struct kdiff *k, const struct input *in, bool from_file)
{
	int fd = wants_input(k, from_file) ? in->fd : -1;
	int ready = wait_input(k, fd, WAIT_NOT);

	if (ready != 0 || k->stopping)
		return ready;
	if (batch_end(k) == -1)
		return -1;
	fd = wants_input(k, from_file) ? in->fd : -1;
	ready = wait_input(k, fd, WAIT_SECOND);
	return ready == 0 ? batch_idle(k) : ready;
}

/* Reads to the end of input, or until asked to stop: then what has been read is finished. */
static int
run(struct kdiff *k, struct reader *reader)
{
	struct input *in = reader_input(reader);
	enum input_result result = INPUT_OK;
	struct stat st;
	bool from_file = fstat(in->fd, &st) == 0 && S_ISREG(st.st_mode);

	while (result != INPUT_EOF) {
		int ready = await_input(k, in, from_file);

		if (ready == -1)
			return -1;
		if (k->stopping)
			return 0;
		if (ready == 0)
			continue;
		result = input_fill(in);
		if (result == INPUT_ERROR || result == INPUT_FULL) {
			log_error(&k->tool.log, "cannot read standard input: %s",
			    result == INPUT_FULL ? "a line is too long" : strerror(errno));
			return -1;
		}
		timefmt_now(k->observed);
		k->count[COUNT_INPUT_BYTES].value = in->offset + input_len(in);
		if (reader_run(reader) == -1)
			return -1;
	}
	return 0;
}

/* From input to records. The exit code. */
static int
keep(struct kdiff *k)
{
	struct reader *reader = NULL;
	bool refused = false;
	int status = EXIT_FAILED;
	bool failed;

	k->stop_fd = tool_stop_fd(&k->tool, 0);
	if (k->stop_fd == -1)
		return EXIT_FAILED;
	if (open_all(k, &refused) == -1)
		return refused ? EXIT_USAGE : EXIT_FAILED;
	metrics_init(&k->metrics, &k->tool.log, k->tool.metrics_path, k->count, COUNTERS);
	(void)wait_second_passed(k);
	k->synced = k->second;
	reader = reader_open(k, STDIN_FILENO);
	if (reader == NULL)
		return EXIT_FAILED;
	failed = run(k, reader) == -1 && !k->gave_up;
	/* What came before a bad line is good. */
	if (finish(k) == 0 && !failed)
		status = EXIT_OK;
	wait_tick(k);
	metrics_write(&k->metrics);
	reader_close(reader);
	return status;
}

int
main(int argc, char **argv)
{
	struct kdiff k = {
	    .ack_fd = -1,
	    .resync_fd = -1,
	    .spool_max = SPOOL_MAX,
	    .sync_every = 1,
	    .acks = {.fd = -1},
	    .resync = {.fd = -1},
	    .outflow = {.restore = -1},
	};
	int status;

	tool_init(&k.tool, "kdiff");
	buf_init(&k.small, (size_t)64 << 20);
	buf_init(&k.state_text, (size_t)128 << 20);
	for (size_t i = 0; i < sizeof(k.plain) / sizeof(k.plain[0]); i++)
		buf_init(&k.plain[i], INPUT_MAX);
	k.count = counters_new();
	status = options_parse(&k, argc, argv);
	if (status == -1 && k.count == NULL) {
		log_error(&k.tool.log, "out of memory");
		status = EXIT_FAILED;
	}
	if (status == -1)
		status = k.command != NULL ? k.command(&k) : keep(&k);
	close_all(&k);
	return status;
}
