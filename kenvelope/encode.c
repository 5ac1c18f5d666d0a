/* SPDX-License-Identifier: Apache-2.0 */
#include "encode.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "envelope.h"
#include "input.h"
#include "metrics.h"
#include "out.h"
#include "record.h"

enum { POLL_MS = 1000, CLUSTER_ID_MAX = 256 };

/* Records that came before the cluster id was known. */
#define HELD_MAX ((size_t)64 * 1024 * 1024)

/* In the metrics table; the first ones are by enum record_type. */
enum { BAD_RECORDS = RECORD_TYPES, BYTES, HELD_BYTES, METRICS };

#define RECORDS_HELP "Records put into envelopes."

static const struct metric metric_table[METRICS] = {
    {"kollect_kenvelope_records_total", "type=\"created\"", RECORDS_HELP, METRIC_COUNTER, 0},
    {"kollect_kenvelope_records_total", "type=\"updated\"", RECORDS_HELP, METRIC_COUNTER, 0},
    {"kollect_kenvelope_records_total", "type=\"deleted\"", RECORDS_HELP, METRIC_COUNTER, 0},
    {"kollect_kenvelope_records_total", "type=\"gap\"", RECORDS_HELP, METRIC_COUNTER, 0},
    {"kollect_kenvelope_bad_records_total", NULL, "Lines that were no record.", METRIC_COUNTER,
	0},
    {"kollect_kenvelope_bytes_total", NULL, "Bytes of change records read.", METRIC_COUNTER, 0},
    {"kollect_kenvelope_held_bytes", NULL, "Bytes held back until the cluster id is known.",
	METRIC_GAUGE, 0},
};

struct encode {
	const struct tool *tool;
	int stop_fd;
	const char *cluster_id;           /* NULL: not known yet */
	char learned[CLUSTER_ID_MAX + 1]; /* where cluster_id points when it was learned */
	struct buf held;                  /* whole lines, newlines included */
	struct input in;
	struct out out;
	struct envelope *envelope;
	uint64_t line; /* number of the line in work, from 1 */
	bool oversize; /* what comes in is the rest of a line that is too long */
	struct metric counts[METRICS];
	struct metrics metrics;
};

/* A bad line: named, counted; -1 when that ends the tool. */
static int
bad_line(struct encode *e, const char *why, size_t at)
{
	e->counts[BAD_RECORDS].value++;
	log_error(&e->tool->log, "line %" PRIu64 ", byte %zu: %s", e->line, at + 1, why);
	return e->tool->on_error == ON_ERROR_SKIP ? 0 : -1;
}

/* Writing failed. A reader that has gone is no news. Returns -1. */
static int
cannot_write(const struct encode *e)
{
	if (errno != EPIPE)
		log_error(&e->tool->log, "cannot write: %s",
		    errno != 0 ? strerror(errno) : "OpenSSL has no SHA-1");
	return -1;
}

static int
write_record(struct encode *e, const struct record *record)
{
	switch (envelope_write(e->envelope, record, e->cluster_id, &e->out)) {
	case ENVELOPE_OK:
		e->counts[record->type].value++;
		return 0;
	case ENVELOPE_TOO_LARGE:
		return bad_line(e, "its frame would be over 64 MiB", 0);
	default:
		return cannot_write(e);
	}
}

/* Keeps the record's cluster id when it is the one that names the cluster. */
static void
learn_cluster_id(struct encode *e, const struct record *r)
{
	size_t n;

	if (!json_str_is(&r->kind, "Namespace") || !json_str_is(&r->api_version, "v1") ||
	    !json_str_is(&r->name, "kube-system") || r->uid.len > CLUSTER_ID_MAX)
		return;
	n = json_unescape(&r->uid, e->learned);
	e->learned[n] = '\0';
	e->cluster_id = e->learned;
}

static int
no_cluster_id(const struct encode *e, const char *when)
{
	log_error(&e->tool->log,
	    "no cluster id%s: set --cluster-id (or let the stream show the kube-system "
	    "namespace)",
	    when);
	return -1;
}

/* The cluster id is known now: what was held back goes out. Those lines have been read before,
 * so they are good. */
static int
release_held(struct encode *e)
{
	const char *p = e->held.data;
	const char *end = p + e->held.len;
	struct record record;
	const char *why;
	size_t at;

	while (p < end) {
		size_t len = (size_t)((const char *)memchr(p, '\n', (size_t)(end - p)) - p);

		if (record_read(p, len, &record, &why, &at) == 0 &&
		    write_record(e, &record) == -1)
			return -1;
		p += len + 1;
	}
	buf_free(&e->held);
	e->counts[HELD_BYTES].value = 0;
	return 0;
}

static int
hold(struct encode *e, const char *line, size_t len)
{
	if (buf_add(&e->held, line, len) == -1 || buf_add(&e->held, "\n", 1) == -1)
		return no_cluster_id(e, " in the first 64 MiB");
	e->counts[HELD_BYTES].value = e->held.len;
	return 0;
}

/* One line. -1 ends the tool. */
static int
take_line(struct encode *e, const char *line, size_t len)
{
	struct record record;
	const char *why;
	size_t at;

	e->line++;
	e->counts[BYTES].value += len + 1;
	if (record_read(line, len, &record, &why, &at) == -1)
		return bad_line(e, why, at);
	if (e->cluster_id == NULL) {
		learn_cluster_id(e, &record);
		if (e->cluster_id == NULL)
			return hold(e, line, len);
		if (release_held(e) == -1)
			return -1;
	}
	return write_record(e, &record);
}

static int
take_lines(struct encode *e)
{
	char *line;
	size_t len;

	while (input_line(&e->in, &line, &len)) {
		if (e->oversize)
			e->oversize = false; /* the end of a line that has been named */
		else if (take_line(e, line, len) == -1)
			return -1;
		input_take(&e->in, len + 1);
	}
	return 0;
}

/* What stands behind the last newline: a record without one, or the beginning of one. */
static int
take_last(struct encode *e)
{
	size_t len = input_len(&e->in);
	struct record record;
	const char *why;
	size_t at;

	if (len == 0 || e->oversize)
		return 0;
	if (record_read(input_data(&e->in), len, &record, &why, &at) == 0)
		return take_line(e, input_data(&e->in), len);
	e->line++;
	e->counts[BAD_RECORDS].value++;
	log_error(&e->tool->log,
	    "line %" PRIu64 " (from byte %" PRIu64 "): the input ends within it", e->line,
	    e->in.offset);
	return e->tool->on_error == ON_ERROR_SKIP ? 0 : -1;
}

/* A line longer than any may be: passes over what is here of it. */
static int
pass_oversize(struct encode *e)
{
	int result = 0;

	if (!e->oversize) {
		e->line++;
		result = bad_line(e, "the line is over 64 MiB", 0);
	}
	e->oversize = true;
	input_take(&e->in, input_len(&e->in));
	return result;
}

/* Reads once. 1: go on; 0: the end; -1: failed. */
static int
fill(struct encode *e)
{
	if (!input_ready(&e->in, -1, 0)) {
		if (out_flush(&e->out) == -1)
			return cannot_write(e);
		input_ready(&e->in, e->stop_fd, POLL_MS);
	}
	if (tool_stopping(e->stop_fd))
		return 0;
	if (!input_ready(&e->in, -1, 0))
		return 1;
	switch (input_fill(&e->in)) {
	case INPUT_OK:
	case INPUT_AGAIN:
		return 1;
	case INPUT_EOF:
		return take_last(e);
	case INPUT_FULL:
		return pass_oversize(e) == -1 ? -1 : 1;
	default:
		log_error(&e->tool->log, "cannot read: %s", strerror(errno));
		return -1;
	}
}

static int
finish(struct encode *e)
{
	if (e->held.len > 0)
		return no_cluster_id(e, "");
	return out_flush(&e->out) == -1 ? cannot_write(e) : 0;
}

int
encode_run(const struct tool *tool, int stop_fd, const char *cluster_id)
{
	struct encode e = {.tool = tool, .stop_fd = stop_fd, .cluster_id = cluster_id};
	int more = 1;

	memcpy(e.counts, metric_table, sizeof(e.counts));
	metrics_init(&e.metrics, &tool->log, tool->metrics_path, e.counts, METRICS);
	input_init(&e.in, STDIN_FILENO, INPUT_MAX);
	out_init(&e.out, STDOUT_FILENO);
	buf_init(&e.held, HELD_MAX);
	e.envelope = envelope_open();
	if (e.envelope == NULL)
		more = cannot_write(&e);
	while (more == 1) {
		metrics_tick(&e.metrics);
		more = fill(&e);
		if (more != -1 && take_lines(&e) == -1)
			more = -1;
	}
	if (more == 0)
		more = finish(&e);
	else if (e.cluster_id != NULL)
		out_flush(&e.out); /* what was good before the bad line */
	metrics_write(&e.metrics);
	envelope_close(e.envelope);
	buf_free(&e.held);
	out_free(&e.out);
	input_free(&e.in);
	return more == 0 ? EXIT_OK : EXIT_FAILED;
}
