/* SPDX-License-Identifier: Apache-2.0 */
/* What the API server says when it refuses.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
#ifndef STATUS_H
#define STATUS_H

#include <stddef.h>
#include <stdint.h>

struct status {
	long code;        /* 0: absent */
	int64_t retry_ms; /* details.retryAfterSeconds, or 0 */
	char reason[64];  /* "" when absent */
	char message[800];
};

/* Reads a metav1.Status; any other text (priority and fairness answers in plain text) becomes
 * the message, cut to its first line. */
void status_parse(struct status *status, const char *text, size_t len);

#endif
