/* SPDX-License-Identifier: Apache-2.0 */
/* file:PATH: frames appended to a file, on the disk before they are acknowledged. */
#include "bus_file.h"

#include <stdlib.h>

#include "tool.h"

enum { BATCH = 512 };

struct bus_file {
	struct framefile *file;
	const struct bus_owner *owner;
	struct message *batch[BATCH];
	size_t n;
	bool failed;
};

void *
bus_file_wrap(struct framefile *file, const struct bus_owner *owner, int *exit_code)
{
	struct bus_file *b = file != NULL ? calloc(1, sizeof(*b)) : NULL;

	*exit_code = EXIT_FAILED;
	if (b == NULL) {
		framefile_close(file);
		return NULL;
	}
	b->file = file;
	b->owner = owner;
	owner->connected(owner->core, true);
	return b;
}

static void *
open_file(const struct url *url, const struct bus_owner *owner, int *exit_code)
{
	if (*url->rest == '\0') {
		log_error(owner->log, "%s: names no file", url->shown);
		*exit_code = EXIT_USAGE;
		return NULL;
	}
	return bus_file_wrap(framefile_open(url->rest, owner->log), owner, exit_code);
}

enum bus_send
bus_file_send(void *bus, struct message *m)
{
	struct bus_file *b = bus;

	if (b->n == BATCH && bus_file_flush(b) == -1)
		return BUS_LATER; /* flush says so again */
	framefile_add(b->file, m->body, m->len);
	b->batch[b->n++] = m;
	return BUS_TAKEN;
}

int
bus_file_flush(void *bus)
{
	struct bus_file *b = bus;

	if (b->failed || framefile_flush(b->file) == -1) {
		b->failed = true;
		return -1;
	}
	for (size_t i = 0; i < b->n; i++)
		b->owner->verdict(b->owner->core, b->batch[i], VERDICT_ACKED, NULL);
	b->n = 0;
	return 0;
}

int
bus_file_nothing(void *bus)
{
	(void)bus;
	return -1;
}

int
bus_file_work(void *bus)
{
	const struct bus_file *b = bus;

	return b->failed ? -1 : 0;
}

void
bus_file_close(void *bus)
{
	struct bus_file *b = bus;

	if (b == NULL)
		return;
	framefile_close(b->file);
	free(b);
}

const struct bus bus_file = {
    .scheme = "file",
    .form = "file:PATH",
    .help = "frames appended to a file",
    .params = url_no_params,
    .in_place = true,
    .ordered = true,
    .open = open_file,
    .send = bus_file_send,
    .flush = bus_file_flush,
    .fd = bus_file_nothing,
    .timeout_ms = bus_file_nothing,
    .work = bus_file_work,
    .close = bus_file_close,
};
