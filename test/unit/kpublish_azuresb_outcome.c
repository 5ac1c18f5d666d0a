/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/azuresb_outcome.h"

#include <proton/disposition.h>

#include "tap.h"

static bool
rejected_is(const char *condition, enum verdict verdict, bool busy, bool leave)
{
	struct azuresb_outcome o = azuresb_outcome_of(PN_REJECTED, condition);

	return o.verdict == verdict && o.busy == busy && o.leave == leave;
}

int
main(void)
{
	struct tap tap = {0};

	tap_ok(
	    &tap, azuresb_outcome_of(PN_ACCEPTED, NULL).verdict == VERDICT_ACKED, "accepted");
	tap_ok(&tap,
	    azuresb_outcome_of(PN_RELEASED, NULL).verdict == VERDICT_RETRY &&
		azuresb_outcome_of(PN_MODIFIED, NULL).verdict == VERDICT_RETRY,
	    "given back");
	tap_ok(&tap,
	    rejected_is(NULL, VERDICT_REJECTED, false, false) &&
		rejected_is("amqp:decode-error", VERDICT_REJECTED, false, false) &&
		rejected_is("com.microsoft:argument-error", VERDICT_REJECTED, false, false),
	    "a message that is no good");
	tap_ok(&tap,
	    rejected_is("amqp:link:message-size-exceeded", VERDICT_TOO_LARGE, false, false),
	    "one that is too large");
	tap_ok(&tap,
	    rejected_is("com.microsoft:server-busy", VERDICT_RETRY, true, false) &&
		rejected_is("com.microsoft:timeout", VERDICT_RETRY, true, false) &&
		rejected_is("com.microsoft:entity-disabled", VERDICT_RETRY, true, false) &&
		rejected_is("amqp:resource-limit-exceeded", VERDICT_RETRY, true, false),
	    "a server that has too much to do");
	tap_ok(&tap,
	    rejected_is("amqp:unauthorized-access", VERDICT_RETRY, false, true) &&
		rejected_is("amqp:not-found", VERDICT_RETRY, false, true),
	    "permission or entity gone");
	tap_ok(&tap, rejected_is("vendor:what-is-not-known", VERDICT_RETRY, false, false),
	    "what is not known is tried again");
	tap_ok(&tap,
	    azuresb_outcome_is_idle("amqp:link:detach-forced",
		"Detach origin: AmqpMessagePublisher.IdleTimerExpired: Idle timeout: "
		"00:10:00.") &&
		azuresb_outcome_is_idle("amqp:connection:forced",
		    "The connection was inactive for more than the allowed 300000 "
		    "milliseconds") &&
		!azuresb_outcome_is_idle("amqp:connection:forced", "maintenance") &&
		!azuresb_outcome_is_idle("amqp:link:detach-forced", NULL) &&
		!azuresb_outcome_is_idle(NULL, "was inactive"),
	    "links and connections that nobody uses");
	return tap_done(&tap);
}
