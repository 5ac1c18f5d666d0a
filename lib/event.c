/* SPDX-License-Identifier: Apache-2.0 */
#include "event.h"

#include <string.h>

static const char *const type_names[EVENT_TYPES] = {
    [EVENT_ADDED] = "ADDED",
    [EVENT_MODIFIED] = "MODIFIED",
    [EVENT_DELETED] = "DELETED",
    [EVENT_BOOKMARK] = "BOOKMARK",
    [EVENT_ERROR] = "ERROR",
};

const char *
event_type_name(enum event_type type)
{
	return type_names[type];
}

/* A string member that may be null, as empty members of foreign JSON are. */
static int
string_or_null(struct json *j, struct json_str *str)
{
	*str = (struct json_str){0};
	if (json_peek(j) == 'n')
		return json_skip(j, NULL);
	return json_string(j, str);
}

/* A container's range; null counts as absent. */
static int
range_or_null(struct json *j, char bracket, const char *why, struct json_range *range)
{
	char c = json_peek(j);

	*range = (struct json_range){0};
	if (c == 'n')
		return json_skip(j, NULL);
	if (c != bracket)
		return json_fail(j, why);
	return json_skip(j, range);
}

static int
metadata_member(struct json *j, const struct json_str *key, struct object *o)
{
	if (json_str_is(key, "uid"))
		return string_or_null(j, &o->uid);
	if (json_str_is(key, "name"))
		return string_or_null(j, &o->name);
	if (json_str_is(key, "namespace"))
		return string_or_null(j, &o->ns);
	if (json_str_is(key, "resourceVersion"))
		return string_or_null(j, &o->resource_version);
	if (json_str_is(key, "creationTimestamp"))
		return string_or_null(j, &o->creation);
	if (json_str_is(key, "deletionTimestamp"))
		return string_or_null(j, &o->deletion);
	if (json_str_is(key, "managedFields"))
		return range_or_null(
		    j, '[', "metadata.managedFields is not an array", &o->managed_fields);
	if (json_str_is(key, "annotations"))
		return range_or_null(
		    j, '{', "metadata.annotations is not an object", &o->annotations);
	return json_skip(j, NULL);
}

static int
metadata_scan(struct json *j, struct object *o)
{
	struct json_str key;
	int more;

	/* A second metadata, should there be one, replaces the first whole, as parsers have it.
	 */
	o->ns = o->name = o->uid = o->resource_version = (struct json_str){0};
	o->creation = o->deletion = (struct json_str){0};
	o->managed_fields = o->annotations = (struct json_range){0};
	if (json_peek(j) == 'n')
		return json_skip(j, NULL);
	if (json_enter(j, '{') == -1)
		return -1;
	while ((more = json_member(j, &key)) == 1) {
		if (metadata_member(j, &key, o) == -1)
			return -1;
	}
	return more;
}

/* "items" makes a List only as an array: objects of any type may have a member of that name. */
static int
items_scan(struct json *j, struct object *o)
{
	o->items = (struct json_range){0};
	return json_skip(j, json_peek(j) == '[' ? &o->items : NULL);
}

static int
object_members(struct json *j, struct object *o)
{
	struct json_str key;
	int result;
	int more;

	json_peek(j); /* so that the range begins at the brace */
	o->bytes.p = j->p;
	if (json_enter(j, '{') == -1)
		return -1;
	while ((more = json_member(j, &key)) == 1) {
		if (json_str_is(&key, "metadata"))
			result = metadata_scan(j, o);
		else if (json_str_is(&key, "kind"))
			result = string_or_null(j, &o->kind);
		else if (json_str_is(&key, "apiVersion"))
			result = string_or_null(j, &o->api_version);
		else if (json_str_is(&key, "items"))
			result = items_scan(j, o);
		else
			result = json_skip(j, NULL);
		if (result == -1)
			return -1;
	}
	o->bytes.len = (size_t)(j->p - o->bytes.p);
	return more;
}

static int
type_scan(struct json *j, enum event_type *type)
{
	struct json_str str;

	if (json_string(j, &str) == -1)
		return -1;
	for (int i = 0; i < EVENT_TYPES; i++) {
		if (json_str_is(&str, type_names[i])) {
			*type = (enum event_type)i;
			return 0;
		}
	}
	return json_fail(j, "unknown event type");
}

static int
event_members(struct json *j, struct event *event)
{
	bool has_type = false;
	struct json_str key;
	int result;
	int more;

	if (json_enter(j, '{') == -1)
		return -1;
	while ((more = json_member(j, &key)) == 1) {
		if (json_str_is(&key, "type")) {
			result = type_scan(j, &event->type);
			has_type = true;
		} else if (json_str_is(&key, "object")) {
			event->object = (struct object){.bytes = {NULL, 0}};
			result = object_members(j, &event->object);
		} else {
			result = json_skip(j, NULL);
		}
		if (result == -1)
			return -1;
	}
	if (more == 0 && (!has_type || event->object.bytes.p == NULL))
		return json_fail(j, has_type ? "has no object" : "has no type");
	return more;
}

static int
finish(struct json *j, const char **why, size_t *at)
{
	if (json_end(j) == 0)
		return 0;
	*why = j->error;
	*at = (size_t)(j->p - j->start);
	return -1;
}

int
event_scan(const char *line, size_t len, struct event *event, const char **why, size_t *at)
{
	struct json j;

	*event = (struct event){.object = {.bytes = {NULL, 0}}};
	json_init(&j, line, len);
	event_members(&j, event);
	return finish(&j, why, at);
}

int
object_scan(const char *text, size_t len, struct object *object, const char **why, size_t *at)
{
	struct json j;

	*object = (struct object){.bytes = {NULL, 0}};
	json_init(&j, text, len);
	object_members(&j, object);
	return finish(&j, why, at);
}

bool
object_annotation(const struct object *object, const char *key, struct json_str *value)
{
	struct json_str name;
	bool found = false;
	struct json j;

	if (object->annotations.p == NULL)
		return false;
	json_init(&j, object->annotations.p, object->annotations.len);
	if (json_enter(&j, '{') == -1)
		return false;
	while (json_member(&j, &name) == 1) {
		if (!json_str_is(&name, key)) {
			json_skip(&j, NULL);
			continue;
		}
		found = json_peek(&j) == '"';
		if (found)
			json_string(&j, value);
		else
			json_skip(&j, NULL);
	}
	return found && j.error == NULL;
}
