/* SPDX-License-Identifier: Apache-2.0 */
#include "rabbit_session.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>

#include "core.h"
#include "rabbit_login.h"
#include "rabbit_wire.h"
#include "stream.h"

enum {
	READ_BYTES = 65536,
	OUT_BYTES = 262144, /* so much may wait to go out before EAGAIN */
	PART_MS = 1000,     /* how long a farewell may take */
};

struct rabbit_session {
	const struct rabbit_server *server;
	const char *exchange;
	struct stream *stream;
	struct rabbit_talk *talk;
	bool connected; /* the stream is */
	int64_t opened_ms;
	int64_t heard_ms; /* when bytes came last */
	int64_t told_ms;  /* when some went out last */
	int64_t part_ms;  /* when farewell is long enough said; 0: it is not */
	char input[READ_BYTES];
};

static int
stream_ended(struct rabbit_session *s)
{
	if (rabbit_talk_ready(s->talk))
		return rabbit_talk_end(s->talk, "%s", stream_why(s->stream));
	return rabbit_talk_end(s->talk, "%s (%s)", stream_why(s->stream),
	    s->connected ? rabbit_talk_doing(s->talk) : "connecting");
}

static int
connect_stream(struct rabbit_session *s)
{
	switch (stream_connect(s->stream)) {
	case 0:
		return 0;
	case 1:
		s->connected = true;
		s->heard_ms = s->told_ms = core_now_ms();
		return rabbit_talk_begin(s->talk);
	default:
		return stream_ended(s);
	}
}

static int
write_all(struct rabbit_session *s)
{
	size_t before = stream_pending(s->stream);

	if (before == 0)
		return 0;
	if (stream_flush(s->stream) == -1)
		return stream_ended(s);
	if (stream_pending(s->stream) < before)
		s->told_ms = core_now_ms();
	return 0;
}

static int
read_all(struct rabbit_session *s)
{
	ssize_t n;

	while ((n = stream_read(s->stream, s->input, sizeof(s->input))) > 0) {
		s->heard_ms = core_now_ms();
		if (rabbit_talk_hear(s->talk, s->input, (size_t)n) == -1) {
			(void)stream_flush(s->stream); /* that we have heard it */
			return -1;
		}
	}
	return n == 0 ? 0 : stream_ended(s);
}

/* Ours goes out when nothing else has for half of the time; theirs is missed after twice. */
static int
keep_heartbeat(struct rabbit_session *s)
{
	const int64_t beat_ms = rabbit_talk_heartbeat_ms(s->talk);
	int64_t now = core_now_ms();

	if (beat_ms == 0 || !rabbit_talk_ready(s->talk))
		return 0;
	if (now - s->heard_ms >= 2 * beat_ms)
		return rabbit_talk_end(s->talk,
		    "nothing was heard from the broker for %" PRId64 " s", 2 * beat_ms / 1000);
	if (now - s->told_ms < beat_ms / 2 || stream_pending(s->stream) > 0)
		return 0;
	if (rabbit_wire_heartbeat(stream_out(s->stream)) == -1)
		return rabbit_talk_end(s->talk, "%s", "out of memory");
	return write_all(s);
}

/* The opening, and the farewell, do not take for ever. */
static void
check_time(struct rabbit_session *s)
{
	int64_t now = core_now_ms();

	if (rabbit_talk_parting(s->talk)) {
		if (s->part_ms == 0)
			s->part_ms = now + PART_MS;
		if (now >= s->part_ms)
			rabbit_talk_end(s->talk, "no farewell");
	} else if (!rabbit_talk_ready(s->talk) &&
		   now - s->opened_ms >= s->server->peer.timeout_ms) {
		rabbit_talk_end(s->talk, "no answer for %d ms (%s)", s->server->peer.timeout_ms,
		    s->connected ? rabbit_talk_doing(s->talk) : "connecting");
	}
}

struct rabbit_session *
rabbit_session_open(
    const struct rabbit_server *server, const char *exchange, const struct rabbit_hears *hears)
{
	struct rabbit_session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->server = server;
	s->exchange = exchange;
	s->opened_ms = core_now_ms();
	s->stream = stream_open(&server->peer);
	if (s->stream != NULL)
		s->talk = rabbit_talk_open(server, exchange, hears, stream_out(s->stream));
	if (s->talk == NULL) {
		int error = errno;

		rabbit_session_close(s);
		errno = error;
		return NULL;
	}
	return s;
}

int
rabbit_session_fd(const struct rabbit_session *s)
{
	return stream_fd(s->stream);
}

/* When work is to be called at the latest. While something waits to go out, no heartbeat of ours
 * need to. */
static int64_t
due_ms(const struct rabbit_session *s)
{
	const int64_t beat_ms = rabbit_talk_heartbeat_ms(s->talk);
	int64_t missed = s->heard_ms + 2 * beat_ms;
	int64_t due = s->told_ms + beat_ms / 2;

	if (rabbit_talk_ended(s->talk))
		return 0;
	if (rabbit_talk_parting(s->talk))
		return s->part_ms;
	if (!rabbit_talk_ready(s->talk))
		return s->opened_ms + s->server->peer.timeout_ms;
	if (beat_ms == 0)
		return INT64_MAX;
	return stream_pending(s->stream) > 0 || due > missed ? missed : due;
}

int
rabbit_session_timeout_ms(const struct rabbit_session *s)
{
	int64_t due = due_ms(s);
	int64_t now = core_now_ms();

	if (due == INT64_MAX)
		return -1;
	return due > now ? (int)(due - now) : 0;
}

enum rabbit_state
rabbit_session_work(struct rabbit_session *s)
{
	if (!rabbit_talk_ended(s->talk) && !s->connected)
		connect_stream(s);
	if (!rabbit_talk_ended(s->talk) && s->connected && read_all(s) == 0 &&
	    write_all(s) == 0)
		keep_heartbeat(s);
	check_time(s);
	if (rabbit_talk_ended(s->talk))
		return RABBIT_ENDED;
	return rabbit_talk_ready(s->talk) ? RABBIT_READY : RABBIT_OPENING;
}

int
rabbit_session_publish(struct rabbit_session *s, const struct message *m)
{
	if (stream_pending(s->stream) >= OUT_BYTES)
		rabbit_session_flush(s);
	if (rabbit_talk_ended(s->talk) || stream_pending(s->stream) >= OUT_BYTES) {
		errno = EAGAIN;
		return -1;
	}
	return rabbit_wire_message(stream_out(s->stream), RABBIT_CHANNEL, s->exchange, m,
	    rabbit_talk_frame_max(s->talk));
}

void
rabbit_session_flush(struct rabbit_session *s)
{
	if (!rabbit_talk_ended(s->talk))
		write_all(s);
}

const struct rabbit_talk *
rabbit_session_talk(const struct rabbit_session *s)
{
	return s->talk;
}

/* Waits for it, for a second at most. */
static void
take_leave(struct rabbit_session *s)
{
	rabbit_talk_part(s->talk, "closed");
	while (rabbit_session_work(s) != RABBIT_ENDED) {
		struct pollfd ready = {.fd = rabbit_session_fd(s), .events = POLLIN};

		poll(&ready, 1, rabbit_session_timeout_ms(s));
	}
}

void
rabbit_session_close(struct rabbit_session *s)
{
	if (s == NULL)
		return;
	if (s->connected && !rabbit_talk_ended(s->talk))
		take_leave(s);
	rabbit_talk_close(s->talk);
	stream_close(s->stream);
	free(s);
}
