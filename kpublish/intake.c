/* SPDX-License-Identifier: Apache-2.0 */
#include "intake.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "frames.h"

/* No more is taken; what is in the window is still delivered. */
static void
give_up(struct core *c)
{
	c->ended = c->failed = true;
}

static void
bad_frame(struct core *c, size_t len, const char *why)
{
	c->counts[COUNT_BAD_FRAMES].value++;
	log_error(
	    &c->tool->log, "byte %" PRIu64 ": a frame of %zu bytes %s", c->in.offset, len, why);
	if (c->tool->on_error == ON_ERROR_FAIL)
		give_up(c);
}

/* The length lies: where the next frame begins, nobody can tell, whatever --on-error says. */
static void
lost_track(struct core *c)
{
	c->counts[COUNT_BAD_FRAMES].value++;
	log_error(&c->tool->log,
	    "byte %" PRIu64 ": no frame begins here (its length is no varint, or over 64 MiB): "
	    "nothing after it can be read",
	    c->in.offset);
	give_up(c);
}

/* False: the window has no room for it now. */
static bool
take_frame(struct core *c, const uint8_t *frame, size_t len)
{
	struct message m;
	const char *why;

	if (message_read(&m, frame, len, &why) == -1) {
		bad_frame(c, len, why);
		return true;
	}
	c->wanted = message_cost(&m);
	if (!window_has_room(c->window, c->wanted))
		return false;
	c->wanted = 0;
	if (!c->ops->in_place && message_keep(&m) == -1) {
		log_error(&c->tool->log, "out of memory for a message of %zu bytes", len);
		c->fatal = true;
		return true;
	}
	if (window_count(c->window) == 0)
		c->progress_ms = core_now_ms();
	window_add(c->window, &m);
	return true;
}

void
intake_cut(struct core *c)
{
	const uint8_t *frame;
	size_t len;
	size_t whole;

	if (intake_holds(c) && !intake_may_go_on(c))
		return;
	while (!c->fatal && !c->failed) {
		switch (frame_next(&c->in, &frame, &len, &whole)) {
		case FRAME_OK:
			if (!take_frame(c, frame, len))
				return;
			input_take(&c->in, whole);
			break;
		case FRAME_MORE:
			return;
		case FRAME_BAD:
			lost_track(c);
			return;
		}
	}
}

bool
intake_holds(const struct core *c)
{
	return !c->failed && c->wanted > 0;
}

bool
intake_may_go_on(const struct core *c)
{
	return intake_holds(c) && window_has_eased(c->window, c->wanted);
}

void
intake_read(struct core *c)
{
	switch (input_fill(&c->in)) {
	case INPUT_OK:
	case INPUT_AGAIN:
		break;
	case INPUT_EOF:
		c->ended = true;
		if (input_len(&c->in) == 0)
			break;
		c->counts[COUNT_BAD_FRAMES].value++;
		log_error(&c->tool->log,
		    "byte %" PRIu64 ": the input ends within a frame, %zu bytes into it",
		    c->in.offset, input_len(&c->in));
		if (c->tool->on_error == ON_ERROR_FAIL)
			c->failed = true;
		break;
	default: /* never full: a frame that long is refused first */
		log_error(&c->tool->log, "cannot read: %s", strerror(errno));
		give_up(c);
		break;
	}
}
