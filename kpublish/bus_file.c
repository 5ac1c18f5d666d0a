/* SPDX-License-Identifier: Apache-2.0 */
/* file:PATH: frames appended to a file, on the disk before they are acknowledged. Where that
 * cannot be (the disk is full, say) they wait, and the file has whole frames alone. It is moved
 * aside when it is large or old. */
#include "bus_file.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core.h"
#include "frames.h"
#include "rotate.h"
#include "size.h"

enum {
	BATCH = 512,
	ROTATE_AGAIN_MS = 60000, /* after a failure */
	WHY = 128,
};

static const char *const params[] = {"rotate_bytes", "rotate_seconds", NULL};

struct bus_file {
	struct framefile *file; /* NULL: it could not be opened again yet */
	const char *path;       /* NULL: standard output */
	const char *shown;
	const struct bus_owner *owner;
	struct message *batch[BATCH];
	size_t n;
	bool failed; /* and cannot go on */
	struct rotation rotation;
	bool begun;              /* it has a frame */
	int64_t began_ms;        /* since then */
	int64_t rotate_again_ms; /* not earlier */
};

/* Whatever file it is, it has been opened now. */
static void
note_age(struct bus_file *b)
{
	b->begun = framefile_size(b->file) > 0;
	b->began_ms = core_now_ms() - (b->begun ? rotate_age_ms(b->path) : 0);
}

void *
bus_file_wrap(struct framefile *file, const char *path, const struct url *url,
    const struct bus_owner *owner, int *exit_code)
{
	struct bus_file *b = file != NULL ? calloc(1, sizeof(*b)) : NULL;

	*exit_code = EXIT_FAILED;
	if (b == NULL) {
		log_error(owner->log, "%s: out of memory", url->shown);
		framefile_close(file);
		return NULL;
	}
	b->file = file;
	b->path = path;
	b->shown = url->shown;
	b->owner = owner;
	note_age(b);
	owner->connected(owner->core, true);
	return b;
}

/* The URL's parameters; false with a message. */
static bool
take_rotation(struct rotation *r, const struct url *url, const struct log *log)
{
	const char *bytes = url_param(url, "rotate_bytes");
	const char *seconds = url_param(url, "rotate_seconds");
	char *end = NULL;

	if (bytes != NULL && (!size_parse(bytes, &r->bytes) || r->bytes == 0)) {
		log_error(log, "%s: rotate_bytes=%s is no size, as 500000 or 100MiB",
		    url->shown, bytes);
		return false;
	}
	if (seconds == NULL)
		return true;
	r->seconds = strtoul(seconds, &end, 10);
	if (*seconds >= '0' && *seconds <= '9' && *end == '\0' && r->seconds > 0 &&
	    r->seconds <= INT32_MAX)
		return true;
	log_error(log, "%s: rotate_seconds=%s is no number of seconds", url->shown, seconds);
	return false;
}

/* A device is not to be moved away, nor the link /dev/stdout. */
static bool
can_rotate(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A file that someone has moved away or removed gets nothing more: what is at the path now, or a
 * new one, takes its place. All that was gathered is written. -1: that cannot be opened yet. */
static int
follow(struct bus_file *b)
{
	char why[FRAMEFILE_WHY];

	assert(b->n == 0);
	if (b->file != NULL && (b->path == NULL || framefile_is_at(b->file, b->path)))
		return 0;
	if (framefile_follow(&b->file, b->path, b->owner->log, why) == -1) {
		b->owner->connected(b->owner->core, false);
		b->owner->trouble(b->owner->core, "cannot be opened: %s", why);
		return -1;
	}
	b->owner->connected(b->owner->core, true);
	note_age(b);
	return 0;
}

static void
bus_file_reopen(void *bus)
{
	follow(bus);
}

/* -1 with errno. */
static int
move_aside(struct bus_file *b)
{
	if (framefile_flush(b->file) == -1) /* a piece of a frame is at its end yet */
		return -1;
	if (!framefile_is_at(b->file, b->path)) /* someone else has done it */
		return 0;
	if (!can_rotate(b->path)) { /* it is a link by now */
		errno = ENOTSUP;
		return -1;
	}
	return rotate_aside(&b->rotation, b->path);
}

/* All that was gathered is written. -1: there is no file to go on with yet. */
static int
rotate(struct bus_file *b)
{
	int64_t now = core_now_ms();

	if (now < b->rotate_again_ms)
		return 0;
	if (move_aside(b) == -1) {
		log_warning(b->owner->log, "%s: cannot be rotated, and grows on: %s", b->shown,
		    strerror(errno));
		b->rotate_again_ms = now + ROTATE_AGAIN_MS;
	}
	return follow(b);
}

static void
rotate_when_old(struct bus_file *b)
{
	if (b->rotation.seconds > 0 && b->begun && b->n == 0 &&
	    core_now_ms() - b->began_ms >= (int64_t)b->rotation.seconds * 1000)
		rotate(b);
}

static void *
open_file(const struct url *url, const struct bus_owner *owner, int *exit_code)
{
	struct rotation rotation = {.bytes = 0};
	char why[FRAMEFILE_WHY];
	struct framefile *file;
	struct bus_file *b;

	*exit_code = EXIT_USAGE;
	if (*url->rest == '\0') {
		log_error(owner->log, "%s: names no file", url->shown);
		return NULL;
	}
	if (!take_rotation(&rotation, url, owner->log))
		return NULL;
	file = framefile_open(url->rest, owner->log, why);
	if (file == NULL) {
		log_error(owner->log, "%s: %s", url->shown, why);
		*exit_code = EXIT_FAILED;
		return NULL;
	}
	if (url->n_params > 0 && !can_rotate(url->rest)) {
		log_error(
		    owner->log, "%s: is no regular file, and cannot be rotated", url->shown);
		framefile_close(file);
		return NULL;
	}
	b = bus_file_wrap(file, url->rest, url, owner, exit_code);
	if (b != NULL) {
		b->rotation = rotation;
		rotate_when_old(b);
	}
	return b;
}

/* The batch was not written: it is to be sent again, or the bus is at its end, as what has come
 * out of a pipe cannot be taken back. */
static void
not_written(struct bus_file *b)
{
	char why[WHY];

	if (!framefile_regular(b->file)) {
		if (errno != EPIPE) /* a reader that has gone is no news */
			log_error(b->owner->log, "%s: cannot write: %s",
			    b->path != NULL ? b->shown : "standard output", strerror(errno));
		b->failed = true;
		return;
	}
	snprintf(why, sizeof(why), "cannot write: %s", strerror(errno));
	b->owner->connected(b->owner->core, false);
	for (size_t i = 0; i < b->n; i++)
		b->owner->verdict(
		    b->owner->core, b->batch[i], VERDICT_RETRY, i == 0 ? why : NULL);
	b->n = 0;
}

/* -1: it was not written. */
static int
write_batch(struct bus_file *b)
{
	if (b->n == 0)
		return 0;
	if (framefile_flush(b->file) == -1) {
		not_written(b);
		return -1;
	}
	if (!b->begun)
		b->began_ms = core_now_ms();
	b->begun = true;
	b->owner->connected(b->owner->core, true);
	for (size_t i = 0; i < b->n; i++)
		b->owner->verdict(b->owner->core, b->batch[i], VERDICT_ACKED, NULL);
	b->n = 0;
	return 0;
}

/* Would the message make the file too large? */
static bool
too_much(const struct bus_file *b, const struct message *m)
{
	uint64_t size = framefile_size(b->file);
	uint8_t header[FRAME_HEADER_MAX];

	return b->rotation.bytes > 0 && size > 0 &&
	       size + frame_header(m->len, header) + m->len > b->rotation.bytes;
}

enum bus_send
bus_file_send(void *bus, struct message *m)
{
	struct bus_file *b = bus;

	if (b->failed || (b->n == BATCH && write_batch(b) == -1) ||
	    (b->n == 0 && follow(b) == -1))
		return BUS_LATER; /* flush or work goes into that */
	if (too_much(b, m) && (write_batch(b) == -1 || rotate(b) == -1))
		return BUS_LATER;
	framefile_add(b->file, m->body, m->len);
	b->batch[b->n++] = m;
	return BUS_TAKEN;
}

int
bus_file_flush(void *bus)
{
	struct bus_file *b = bus;

	if (!b->failed && b->file != NULL)
		write_batch(b);
	return b->failed ? -1 : 0;
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
	struct bus_file *b = bus;

	if (b->file != NULL)
		rotate_when_old(b);
	else
		follow(b);
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
    .help = "frames appended to a file, which is rotated with\n"
	    "?rotate_bytes=SIZE and ?rotate_seconds=N",
    .params = params,
    .in_place = true,
    .ordered = true,
    .open = open_file,
    .send = bus_file_send,
    .flush = bus_file_flush,
    .reopen = bus_file_reopen,
    .fd = bus_file_nothing,
    .timeout_ms = bus_file_nothing,
    .work = bus_file_work,
    .close = bus_file_close,
};
