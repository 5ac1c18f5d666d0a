/* SPDX-License-Identifier: Apache-2.0 */
/* What streams.c and streams_report.c share. */
#ifndef STREAMS_SET_H
#define STREAMS_SET_H

#include "streams.h"

struct streams {
	struct env *env;
	struct stream **list; /* owned, in the order of discovery */
	size_t n;
	size_t size;
	int turns; /* left */
	bool watch_list_refused;
	bool watch_list_kept;
	bool unreachable; /* and said so */
	bool denied_said; /* one refusal has been shown in full */
	bool denied_summed;
	bool names_checked;
	int64_t quiet_until_ms;
	bool failed;
	enum streams_discovery discovery;
};

/* All have been answered for the first time: those that may not be listed are named together. */
void streams_sum_denied(struct streams *set);
/* For the metrics. */
void streams_count_states(struct streams *set);

#endif
