/* SPDX-License-Identifier: Apache-2.0 */
/* While there is nothing to publish: can it be, would there be something? Asked with
 * topics.testIamPermissions, which everybody may ask about a topic. */
#ifndef GCP_PROBE_H
#define GCP_PROBE_H

#include "gcp_sender.h"

struct gcp_probe;

/* As gcp_sender_open. */
struct gcp_probe *gcp_probe_open(const struct gcp_target *target, struct requests *requests,
    struct gcp_token *token, const struct bus_owner *owner);
/* Takes NULL. */
void gcp_probe_close(struct gcp_probe *probe);

/* Asks until an answer says that all is well; then no more. */
void gcp_probe_work(struct gcp_probe *probe);

#endif
