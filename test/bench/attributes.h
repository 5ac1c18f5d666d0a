/* SPDX-License-Identifier: Apache-2.0 */
/* What kpublish sends with each message too (doc/kollect.5), of usual length: the floors do as well. */
#ifndef ATTRIBUTES_H
#define ATTRIBUTES_H

static const struct {
	const char *name, *value;
} attributes[] = {{"id", "5f0c2a52-8f6b-5d0a-9a53-2f3a7c5e4b11"},
    {"type", "kollect.resource.event.v1.ResourceUpdatedEvent"}, {"cluster_id", "bench"},
    {"api_version", "v1"}, {"kind", "Pod"}, {"namespace", "default"}, {"name", "object-0000"}};
enum { ATTRIBUTES = sizeof(attributes) / sizeof(attributes[0]) };

#endif
