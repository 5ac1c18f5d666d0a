/* SPDX-License-Identifier: Apache-2.0 */
/* One Kubernetes watch event on one line: who it is about, and where its parts are.
 * Source: meta/v1 WatchEvent, https://kubernetes.io/docs/reference/using-api/api-concepts/ */
#ifndef EVENT_H
#define EVENT_H

#include "json.h"

enum event_type {
	EVENT_ADDED,
	EVENT_MODIFIED,
	EVENT_DELETED,
	EVENT_BOOKMARK,
	EVENT_ERROR,
	EVENT_TYPES, /* how many */
};

/* An object's identity and ranges; absent members have p == NULL. All borrow the text. */
struct object {
	struct json_range bytes; /* the whole object */
	struct json_str api_version;
	struct json_str kind;
	struct json_str ns;
	struct json_str name;
	struct json_str uid;
	struct json_str resource_version;
	struct json_str creation;         /* metadata.creationTimestamp */
	struct json_str deletion;         /* metadata.deletionTimestamp */
	struct json_range managed_fields; /* the array */
	struct json_range annotations;    /* the object */
	struct json_range items;          /* the array that makes it a List */
};

struct event {
	enum event_type type;
	struct object object;
};

/* Scans a line {"type":…,"object":{…}}. 0; or -1 with *why a literal that says what is wrong
 * and *at the byte where. Unknown members are passed over; an unknown type is an error. */
int event_scan(const char *line, size_t len, struct event *event, const char **why, size_t *at);

/* Scans an object alone, all of text. */
int object_scan(
    const char *text, size_t len, struct object *object, const char **why, size_t *at);

/* The annotation's value; false when there is none (or it is no string). */
bool object_annotation(const struct object *object, const char *key, struct json_str *value);

/* "ADDED" and so on. */
const char *event_type_name(enum event_type type);

#endif
