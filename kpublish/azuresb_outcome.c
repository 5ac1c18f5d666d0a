/* SPDX-License-Identifier: Apache-2.0 */
#include "azuresb_outcome.h"

#include <proton/disposition.h>
#include <string.h>

static const char too_large[] = "amqp:link:message-size-exceeded";

static bool
is_one_of(const char *const *list, const char *condition)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, condition) == 0)
			return true;
	return false;
}

static struct azuresb_outcome
of_rejection(const char *condition)
{
	/* These are about the message itself. What else there is may pass: entities are
	 * enabled again, quotas emptied, permissions given. */
	static const char *const final[] = {"amqp:decode-error", "amqp:invalid-field",
	    "amqp:not-implemented", "com.microsoft:argument-error",
	    "com.microsoft:argument-out-of-range", NULL};
	static const char *const busy[] = {"com.microsoft:server-busy", "com.microsoft:timeout",
	    "com.microsoft:operation-cancelled", "com.microsoft:entity-disabled",
	    "amqp:resource-limit-exceeded", "amqp:internal-error", NULL};
	static const char *const leave[] = {"amqp:unauthorized-access", "amqp:not-found",
	    "amqp:resource-deleted", "com.microsoft:auth-failed", NULL};

	/* AMQP: rejected is what is invalid and cannot be processed. */
	if (condition == NULL || is_one_of(final, condition))
		return (struct azuresb_outcome){.verdict = VERDICT_REJECTED};
	if (azuresb_outcome_is_size(condition))
		return (struct azuresb_outcome){.verdict = VERDICT_TOO_LARGE};
	return (struct azuresb_outcome){
	    .verdict = VERDICT_RETRY,
	    .busy = is_one_of(busy, condition),
	    .leave = is_one_of(leave, condition),
	};
}

struct azuresb_outcome
azuresb_outcome_of(uint64_t state, const char *condition)
{
	if (state == PN_ACCEPTED)
		return (struct azuresb_outcome){.verdict = VERDICT_ACKED};
	if (state == PN_REJECTED)
		return of_rejection(condition);
	return (struct azuresb_outcome){.verdict = VERDICT_RETRY};
}

bool
azuresb_outcome_is_size(const char *condition)
{
	return condition != NULL && strcmp(condition, too_large) == 0;
}

bool
azuresb_outcome_is_idle(const char *condition, const char *description)
{
	return condition != NULL && description != NULL &&
	       ((strcmp(condition, "amqp:link:detach-forced") == 0 &&
		    strstr(description, "IdleTimerExpired") != NULL) ||
		   (strcmp(condition, "amqp:connection:forced") == 0 &&
		       strstr(description, "was inactive") != NULL));
}
