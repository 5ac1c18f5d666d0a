/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "frames.h"
#include "intake.h"
#include "verdict.h"

enum {
	TICK_MS = 1000,      /* metrics, and a bus that does not call for work */
	LAST_ACKS_MS = 5000, /* how long the reader of --ack-fd may keep us at the end */
	SILENCE_S = 15,      /* a bus that says nothing for so long has trouble */
};

enum { POLL_STOP, POLL_INPUT, POLL_BUS, POLL_ACKS, POLLS };

static const struct metric metric_table[COUNTS] = {
    [COUNT_ACKED] = {"kollect_kpublish_messages_total", "result=\"acked\"",
	"Messages by what became of them.", METRIC_COUNTER, 0},
    [COUNT_DEAD] = {"kollect_kpublish_messages_total", "result=\"dead_letter\"",
	"Messages by what became of them.", METRIC_COUNTER, 0},
    [COUNT_FAILED] = {"kollect_kpublish_messages_total", "result=\"failed\"",
	"Messages by what became of them.", METRIC_COUNTER, 0},
    [COUNT_BYTES] = {"kollect_kpublish_bytes_total", NULL,
	"Bytes of messages that the bus has accepted.", METRIC_COUNTER, 0},
    [COUNT_SHRUNK] = {"kollect_kpublish_shrunk_total", NULL,
	"Messages accepted without part of their states, as they were too large.",
	METRIC_COUNTER, 0},
    [COUNT_RETRIES] = {"kollect_kpublish_retries_total", NULL,
	"Messages sent that have to be sent again.", METRIC_COUNTER, 0},
    [COUNT_BAD_FRAMES] = {"kollect_kpublish_bad_frames_total", NULL,
	"Frames that were no Envelope.", METRIC_COUNTER, 0},
    [COUNT_IN_FLIGHT] = {"kollect_kpublish_in_flight", NULL,
	"Messages sent and not yet accepted.", METRIC_GAUGE, 0},
    [COUNT_WINDOW_BYTES] = {"kollect_kpublish_window_bytes", NULL,
	"Bytes of messages not yet accepted.", METRIC_GAUGE, 0},
    [COUNT_LAST_SUCCESS] = {"kollect_kpublish_last_success_time_seconds", NULL,
	"When the bus last accepted a message, in Unix time.", METRIC_GAUGE, 0},
    [COUNT_CONNECTED] = {"kollect_kpublish_connected", NULL,
	"Is there a connection to the bus?", METRIC_GAUGE, 0},
};

/* Sends what may be sent, as far as the bus takes it. */
static void
send_all(struct core *c)
{
	int64_t now = core_now_ms();
	struct message *m;

	while (!c->later && !c->fatal && (m = window_next(c->window, now)) != NULL) {
		window_sent(c->window, m); /* before, as the verdict may come within send */
		if (c->ops->send(c->bus, m) == BUS_LATER) {
			window_unsent(c->window, m);
			c->later = true;
		}
	}
}

static void
bus_failed(struct core *c, int result)
{
	if (result == -1)
		c->fatal = true;
}

static void
update_metrics(struct core *c)
{
	c->counts[COUNT_IN_FLIGHT].value = window_in_flight(c->window);
	c->counts[COUNT_WINDOW_BYTES].value = window_bytes(c->window);
	metrics_tick(&c->metrics);
}

/* A bus may be waiting for an answer for much longer than people want to. */
static void
check_silence(struct core *c)
{
	if (c->trouble.now || window_in_flight(c->window) == 0 ||
	    core_now_ms() - c->progress_ms < (int64_t)SILENCE_S * 1000)
		return;
	c->owner.trouble(
	    c, "no answer for %d s to %zu messages", SILENCE_S, window_in_flight(c->window));
}

static void
check_retry_timeout(struct core *c)
{
	if (c->retry_timeout_s == 0 || window_count(c->window) == 0 ||
	    core_now_ms() - c->progress_ms < (int64_t)c->retry_timeout_s * 1000)
		return;
	log_error(&c->tool->log, "%s: has accepted no message for %d s: %s", c->shown,
	    c->retry_timeout_s, c->trouble.now ? c->trouble.text : "no answer");
	c->fatal = true;
}

static bool
finished(const struct core *c)
{
	return c->ended && window_count(c->window) == 0 && !intake_holds(c);
}

/* Opened, or opened again where someone has moved them away. -1 with a message. */
static int
open_dead_letters(struct core *c)
{
	char why[FRAMEFILE_WHY];

	if (c->dead_letter_path == NULL ||
	    framefile_follow(&c->dead_letters, c->dead_letter_path, &c->tool->log, why) == 0)
		return 0;
	log_error(&c->tool->log, "the dead-letter file %s: %s", c->dead_letter_path, why);
	return -1;
}

/* SIGHUP: files are opened anew. The first other signal: what has been read is delivered yet.
 * The second: not even that. */
static void
take_signal(struct core *c)
{
	struct signalfd_siginfo info;

	if (read(c->stop_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP) {
		if (c->ops->reopen != NULL)
			c->ops->reopen(c->bus);
		(void)open_dead_letters(c); /* the next one tries again */
		return;
	}
	c->stops++;
	c->ended = true;
	if (c->stops > 1)
		c->fatal = true;
}

static int
shorter(int a, int b)
{
	return a == -1 || (b != -1 && b < a) ? b : a;
}

static int
wait_ms(const struct core *c)
{
	int wait = shorter(TICK_MS, c->ops->timeout_ms(c->bus));

	if (!c->later)
		wait = shorter(wait, window_wait_ms(c->window, core_now_ms()));
	if (intake_may_go_on(c))
		wait = 0;
	return wait;
}

/* May more be read? Not over what messages stand in. */
static bool
reads(const struct core *c)
{
	return !c->ended && !intake_holds(c) &&
	       !(c->ops->in_place && window_count(c->window) > 0);
}

/* Waits for something to happen and deals with it. */
static void
wait_and_work(struct core *c, int64_t *worked_ms)
{
	struct pollfd fds[POLLS] = {
	    [POLL_STOP] = {.fd = c->stop_fd, .events = POLLIN},
	    [POLL_INPUT] = {.fd = reads(c) ? c->in.fd : -1, .events = POLLIN},
	    [POLL_BUS] = {.fd = c->ops->fd(c->bus), .events = POLLIN},
	    [POLL_ACKS] = {.fd = acks_pending(&c->acks) ? c->acks.fd : -1, .events = POLLOUT},
	};
	int64_t now;

	if (poll(fds, POLLS, wait_ms(c)) == -1)
		return;
	now = core_now_ms();
	if (fds[POLL_STOP].revents != 0)
		take_signal(c);
	if (fds[POLL_INPUT].revents != 0 && !c->ended)
		intake_read(c);
	if (fds[POLL_BUS].revents != 0 || now - *worked_ms >= TICK_MS ||
	    c->ops->timeout_ms(c->bus) == 0) {
		*worked_ms = now;
		c->later = false;
		bus_failed(c, c->ops->work(c->bus));
	}
}

/* Everything is delivered; the reader of the acknowledgements is to know. */
static void
tell_last_acks(struct core *c)
{
	int64_t end = core_now_ms() + LAST_ACKS_MS;

	acks_tell(&c->acks, window_acked(c->window));
	while (acks_pending(&c->acks) && core_now_ms() < end) {
		struct pollfd ready = {.fd = c->acks.fd, .events = POLLOUT};

		poll(&ready, 1, TICK_MS);
		acks_tell(&c->acks, window_acked(c->window));
	}
}

static void
run(struct core *c)
{
	int64_t worked_ms = core_now_ms();

	for (;;) {
		intake_cut(c);
		send_all(c);
		if (!c->fatal)
			bus_failed(c, c->ops->flush(c->bus));
		acks_tell(&c->acks, window_acked(c->window));
		update_metrics(c);
		check_silence(c);
		check_retry_timeout(c);
		if (c->fatal || finished(c))
			break;
		wait_and_work(c, &worked_ms);
	}
	tell_last_acks(c);
	if (window_count(c->window) > 0)
		log_error(&c->tool->log, "%s: %zu messages are not acknowledged", c->shown,
		    window_count(c->window));
}

/* 0, or the exit code. */
static int
open_all(struct core *c, const struct loop_options *o)
{
	int code = EXIT_FAILED;

	memcpy(c->counts, metric_table, sizeof(c->counts));
	metrics_init(&c->metrics, &c->tool->log, c->tool->metrics_path, c->counts, COUNTS);
	verdict_init(c);
	input_init(&c->in, STDIN_FILENO, INPUT_MAX + FRAME_HEADER_MAX);
	if (acks_init(&c->acks, o->ack_fd, &c->tool->log) == -1)
		return EXIT_USAGE;
	if (open_dead_letters(c) == -1)
		return EXIT_FAILED;
	c->window = window_open(WINDOW_MESSAGES, WINDOW_BYTES, c->ops->ordered);
	if (c->window == NULL) {
		log_error(&c->tool->log, "out of memory");
		return EXIT_FAILED;
	}
	c->bus = c->ops->open(o->url, &c->owner, &code);
	return c->bus == NULL ? code : 0;
}

int
loop_run(const struct tool *tool, int stop_fd, const struct loop_options *o)
{
	struct core c = {
	    .tool = tool,
	    .shown = o->url->shown,
	    .ops = o->ops,
	    .stop_fd = stop_fd,
	    .retry_timeout_s = o->retry_timeout_s,
	    .dead_letter_path = o->dead_letter,
	    .progress_ms = core_now_ms(),
	};
	int code = open_all(&c, o);

	if (code == 0) {
		run(&c);
		code = c.fatal || c.failed ? EXIT_FAILED : EXIT_OK;
		update_metrics(&c);
		metrics_write(&c.metrics);
	}
	if (c.bus != NULL)
		c.ops->close(c.bus);
	window_close(c.window);
	framefile_close(c.dead_letters);
	input_free(&c.in);
	return code;
}
