/* SPDX-License-Identifier: Apache-2.0 */
/* kdiff: keeps the last state of every object and writes what changed.
 *
 * stdin:  Kubernetes watch events, one JSON object a line (or as kubectl prints them)
 * stdout: change records, one JSON object a line: kollect(5)
 * exit:   0 at the end of input with everything handed on, 1 on failure, 2 on wrong usage */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kdiff.h"
#include "options.h"
#include "reader.h"

static int
open_all(struct kdiff *k)
{
	k->store = store_open(&k->tool.log, k->state);
	if (k->store == NULL || store_begin(k->store, 0) == -1)
		return -1;
	k->kinds = kinds_open(&k->tool.log, k->store);
	if (k->kinds == NULL)
		return -1;
	k->streams = streams_open(&k->tool.log, k->store, k->kinds);
	return k->streams == NULL ? -1 : store_commit(k->store);
}

static void
close_all(struct kdiff *k)
{
	streams_close(k->streams);
	kinds_close(k->kinds);
	store_close(k->store);
	out_free(&k->out);
	buf_free(&k->records);
	buf_free(&k->state_text);
	for (size_t i = 0; i < sizeof(k->plain) / sizeof(k->plain[0]); i++)
		buf_free(&k->plain[i]);
	free(k->count);
}

/* Before waiting for input: what there is goes out. */
static int
wait_for_input(struct kdiff *k, const struct input *in, int stop_fd)
{
	if (input_ready(in, -1, 0))
		return 0;
	if (batch_end(k) == -1)
		return -1;
	while (!input_ready(in, stop_fd, 1000))
		kdiff_tick(k);
	return 0;
}

/* Reads to the end of input, or until asked to stop: then what has been read is finished. */
static int
run(struct kdiff *k, struct reader *reader, int stop_fd)
{
	struct input *in = reader_input(reader);
	enum input_result result = INPUT_OK;

	while (result != INPUT_EOF) {
		if (wait_for_input(k, in, stop_fd) == -1)
			return -1;
		if (tool_stopping(stop_fd))
			return 0;
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

int
main(int argc, char **argv)
{
	struct kdiff k = {.ack_fd = -1};
	struct reader *reader = NULL;
	int status = EXIT_FAILED;
	int stop_fd;
	int failed;

	tool_init(&k.tool, "kdiff");
	out_init(&k.out, STDOUT_FILENO);
	buf_init(&k.records, (size_t)512 << 20);
	buf_init(&k.state_text, (size_t)128 << 20);
	for (size_t i = 0; i < sizeof(k.plain) / sizeof(k.plain[0]); i++)
		buf_init(&k.plain[i], INPUT_MAX);
	k.count = options_metrics();
	stop_fd = options_parse(&k, argc, argv);
	if (stop_fd != -1) {
		status = stop_fd;
		goto out;
	}
	stop_fd = tool_stop_fd(&k.tool);
	if (k.count == NULL || stop_fd == -1 ||
	    acks_init(&k.acks, &k.tool.log, k.ack_fd) == -1 || open_all(&k) == -1)
		goto out;
	metrics_init(&k.metrics, &k.tool.log, k.tool.metrics_path, k.count, COUNTERS);
	reader = reader_open(&k, STDIN_FILENO);
	if (reader == NULL)
		goto out;
	failed = run(&k, reader, stop_fd);
	/* What came before a bad line is good. */
	if (batch_end(&k) == 0 && failed == 0)
		status = EXIT_OK;
	kdiff_tick(&k);
	metrics_write(&k.metrics);
out:
	reader_close(reader);
	close_all(&k);
	return status;
}
