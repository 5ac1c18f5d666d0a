/* SPDX-License-Identifier: Apache-2.0 */
#include "azuresb_pipe.h"

#include <errno.h>
#include <proton/connection_driver.h>
#include <proton/logger.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "stream.h"

struct azuresb_pipe {
	void (*event)(void *arg, pn_event_t *event);
	void *arg;
	enum azuresb_pipe_state state;
	bool stopped;
	bool unwritable; /* but something may still be there to be read */
	struct stream *stream;
	pn_connection_driver_t driver; /* zeroed until the stream is ready */
	const char *why;               /* NULL: the stream knows */
};

struct azuresb_pipe *
azuresb_pipe_open(
    const struct peer *peer, void (*event)(void *arg, pn_event_t *event), void *arg)
{
	struct azuresb_pipe *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->event = event;
	p->arg = arg;
	p->stream = stream_open(peer);
	if (p->stream == NULL) {
		free(p);
		return NULL;
	}
	return p;
}

void
azuresb_pipe_close(struct azuresb_pipe *p)
{
	if (p == NULL)
		return;
	if (p->driver.connection != NULL)
		pn_connection_driver_destroy(&p->driver);
	stream_close(p->stream);
	free(p);
}

int
azuresb_pipe_fd(const struct azuresb_pipe *p)
{
	return stream_fd(p->stream);
}

/* The stream is ready. */
static void
begin(struct azuresb_pipe *p)
{
	p->state = AZURESB_PIPE_FAILED;
	p->why = strerror(ENOMEM);
	if (pn_connection_driver_init(&p->driver, NULL, NULL) != 0)
		return;
	/* PN_TRACE_FRM and PN_LOG would show keys and tokens. */
	pn_logger_reset_mask(
	    pn_transport_logger(p->driver.transport), PN_SUBSYSTEM_ALL, PN_LEVEL_ALL);
	p->state = AZURESB_PIPE_OPEN;
	p->why = NULL;
}

static void
connect_stream(struct azuresb_pipe *p)
{
	switch (stream_connect(p->stream)) {
	case 1:
		begin(p);
		break;
	case -1:
		p->state = AZURESB_PIPE_FAILED;
		break;
	default:
		break;
	}
}

static void
take_events(struct azuresb_pipe *p)
{
	pn_event_t *event;

	while (!p->stopped && (event = pn_connection_driver_next_event(&p->driver)) != NULL)
		p->event(p->arg, event);
}

/* True: something was written. */
static bool
write_some(struct azuresb_pipe *p)
{
	pn_bytes_t bytes = pn_connection_driver_write_buffer(&p->driver);
	ssize_t n;

	if (bytes.size == 0)
		return false;
	n = stream_write(p->stream, bytes.start, bytes.size);
	if (n == -1)
		p->unwritable = true;
	if (n > 0)
		pn_connection_driver_write_done(&p->driver, (size_t)n);
	return n > 0;
}

/* True: something was read. */
static bool
read_some(struct azuresb_pipe *p)
{
	pn_rwbytes_t room = pn_connection_driver_read_buffer(&p->driver);
	ssize_t n;

	if (room.size == 0)
		return false;
	n = stream_read(p->stream, room.start, room.size);
	if (n == -1)
		p->state = AZURESB_PIPE_FAILED;
	if (n > 0)
		pn_connection_driver_read_done(&p->driver, (size_t)n);
	return n > 0;
}

/* All that has come is looked at before the stream counts as failed: it may say why the server
 * closes the connection. */
enum azuresb_pipe_state
azuresb_pipe_work(struct azuresb_pipe *p)
{
	bool more = true;

	if (p->state == AZURESB_PIPE_WAIT)
		connect_stream(p);
	if (p->state != AZURESB_PIPE_OPEN)
		return p->state;
	take_events(p);
	pn_transport_tick(p->driver.transport, core_now_ms());
	while (more && !p->stopped && p->state == AZURESB_PIPE_OPEN) {
		more = read_some(p);
		take_events(p);
		azuresb_pipe_flush(p);
		take_events(p);
	}
	if (p->unwritable)
		p->state = AZURESB_PIPE_FAILED;
	return p->state;
}

void
azuresb_pipe_flush(struct azuresb_pipe *p)
{
	while (p->state == AZURESB_PIPE_OPEN && !p->unwritable && write_some(p))
		;
}

void
azuresb_pipe_stop(struct azuresb_pipe *p)
{
	p->stopped = true;
}

pn_connection_t *
azuresb_pipe_connection(const struct azuresb_pipe *p)
{
	return p->driver.connection;
}

pn_transport_t *
azuresb_pipe_transport(const struct azuresb_pipe *p)
{
	return p->driver.transport;
}

const char *
azuresb_pipe_why(const struct azuresb_pipe *p)
{
	return p->why != NULL ? p->why : stream_why(p->stream);
}

const char *
azuresb_pipe_doing(const struct azuresb_pipe *p)
{
	return p->state == AZURESB_PIPE_WAIT ? stream_doing(p->stream) : NULL;
}
