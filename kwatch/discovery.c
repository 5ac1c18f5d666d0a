/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "text.h"

/* The next value as memory of the caller's; "" unless it is a string. */
static char *
read_string(struct json *j)
{
	struct json_str str = {.p = NULL};
	char *text;

	if (json_peek(j) == '"')
		json_string(j, &str);
	else
		json_skip(j, NULL);
	text = text_dup(&str);
	if (text == NULL)
		json_fail(j, "out of memory");
	return text;
}

static void
set_string(struct json *j, char **to)
{
	text_set(to, read_string(j));
}

static void
set_list(struct json *j, char **to)
{
	text_set(to, text_read_list(j));
	if (*to == NULL)
		json_fail(j, "out of memory");
}

/* Enters an object or array; passes over null, which Go writes for an empty one, and anything
 * else. false: there is nothing to walk. */
static bool
enter(struct json *j, char bracket)
{
	if (json_peek(j) == bracket)
		return json_enter(j, bracket) == 0;
	json_skip(j, NULL);
	return false;
}

/* The member of the object that comes next, as memory of the caller's; "" when absent. */
static char *
read_member(struct json *j, const char *name)
{
	struct json_str key;
	char *text = NULL;

	if (enter(j, '{')) {
		while (json_member(j, &key) == 1) {
			if (json_str_is(&key, name))
				set_string(j, &text);
			else
				json_skip(j, NULL);
		}
	}
	return text != NULL ? text : strdup("");
}

static void
read_resource(struct json *j, const char *group, const char *version, struct types *types)
{
	struct type type = {.group = strdup(group), .version = strdup(version)};
	struct json_str key;
	char *scope = NULL;

	if (enter(j, '{')) {
		while (json_member(j, &key) == 1) {
			if (json_str_is(&key, "resource"))
				set_string(j, &type.resource);
			else if (json_str_is(&key, "singularResource"))
				set_string(j, &type.singular);
			else if (json_str_is(&key, "responseKind"))
				text_set(&type.kind, read_member(j, "kind"));
			else if (json_str_is(&key, "scope"))
				set_string(j, &scope);
			else if (json_str_is(&key, "verbs"))
				set_list(j, &type.verbs);
			else if (json_str_is(&key, "shortNames"))
				set_list(j, &type.short_names);
			else if (json_str_is(&key, "categories"))
				set_list(j, &type.categories);
			else
				json_skip(j, NULL);
		}
		type.namespaced = scope != NULL && strcmp(scope, "Namespaced") == 0;
		if (type.resource != NULL && types_add(types, &type) == -1)
			json_fail(j, "out of memory");
	}
	free(scope);
	type_free(&type);
}

/* One version of a group. The resources may come before the version's name, so they are walked
 * once that is known. */
static void
read_version(struct json *j, const char *group, struct types *types)
{
	struct json_range resources = {.p = NULL};
	struct json_str key;
	struct json inner;
	char *version = NULL;
	char *freshness = NULL;

	if (!enter(j, '{'))
		return;
	while (json_member(j, &key) == 1) {
		if (json_str_is(&key, "version"))
			set_string(j, &version);
		else if (json_str_is(&key, "freshness"))
			set_string(j, &freshness);
		else if (json_str_is(&key, "resources"))
			json_skip(j, &resources);
		else
			json_skip(j, NULL);
	}
	if (j->error == NULL && version != NULL && freshness != NULL &&
	    strcmp(freshness, "Stale") == 0 && types_mark_stale(types, group, version) == -1)
		json_fail(j, "out of memory");
	if (j->error == NULL && version != NULL && resources.p != NULL) {
		json_init(&inner, resources.p, resources.len);
		if (enter(&inner, '['))
			while (json_element(&inner) == 1)
				read_resource(&inner, group, version, types);
		if (json_end(&inner) == -1)
			json_fail(j, "malformed resources");
	}
	free(version);
	free(freshness);
}

static void
read_group(struct json *j, struct types *types)
{
	struct json_range versions = {.p = NULL};
	struct json_str key;
	struct json inner;
	char *group = NULL;

	if (!enter(j, '{'))
		return;
	while (json_member(j, &key) == 1) {
		if (json_str_is(&key, "metadata"))
			text_set(&group, read_member(j, "name"));
		else if (json_str_is(&key, "versions"))
			json_skip(j, &versions);
		else
			json_skip(j, NULL);
	}
	if (j->error == NULL && versions.p != NULL) {
		json_init(&inner, versions.p, versions.len);
		if (enter(&inner, '['))
			while (json_element(&inner) == 1)
				read_version(&inner, group != NULL ? group : "", types);
		if (json_end(&inner) == -1)
			json_fail(j, "malformed versions");
	}
	free(group);
}

bool
discovery_is_aggregated(const char *text, size_t len)
{
	struct json j;
	char *kind;
	bool is;

	json_init(&j, text, len);
	kind = read_member(&j, "kind");
	is = json_end(&j) == 0 && kind != NULL && strcmp(kind, "APIGroupDiscoveryList") == 0;
	free(kind);
	return is;
}

int
discovery_aggregated(const char *text, size_t len, struct types *types)
{
	struct json j;
	struct json_str key;

	json_init(&j, text, len);
	json_enter(&j, '{');
	while (json_member(&j, &key) == 1) {
		if (!json_str_is(&key, "items"))
			json_skip(&j, NULL);
		else if (enter(&j, '['))
			while (json_element(&j) == 1)
				read_group(&j, types);
	}
	return json_end(&j);
}

/* A group of an APIGroupList: its versions, the preferred one first. */
static void
read_old_group(struct json *j, struct buf *list)
{
	struct json_str key;
	char *preferred = NULL;
	struct buf others;

	if (!enter(j, '{'))
		return;
	buf_init(&others, TEXT_MAX);
	while (json_member(j, &key) == 1) {
		if (json_str_is(&key, "preferredVersion")) {
			text_set(&preferred, read_member(j, "groupVersion"));
		} else if (json_str_is(&key, "versions") && enter(j, '[')) {
			while (json_element(j) == 1) {
				char *version = read_member(j, "groupVersion");

				if (version == NULL ||
				    buf_printf(&others, "%s,", version) == -1)
					json_fail(j, "out of memory");
				free(version);
			}
		} else if (!json_str_is(&key, "versions")) {
			json_skip(j, NULL);
		}
	}
	if (buf_terminate(&others) == -1 ||
	    (preferred != NULL && buf_printf(list, "%s,", preferred) == -1) ||
	    buf_addstr(list, others.data) == -1)
		json_fail(j, "out of memory");
	free(preferred);
	buf_free(&others);
}

int
discovery_groups(const char *text, size_t len, char **paths)
{
	struct buf list;
	struct json j;
	struct json_str key;

	buf_init(&list, TEXT_MAX);
	json_init(&j, text, len);
	json_enter(&j, '{');
	while (json_member(&j, &key) == 1) {
		if (json_str_is(&key, "groups") && enter(&j, '[')) {
			while (json_element(&j) == 1)
				read_old_group(&j, &list);
		} else if (json_str_is(&key, "versions") && enter(&j, '[')) {
			while (json_element(&j) == 1) {
				char *version = read_string(&j);

				if (version == NULL || buf_printf(&list, "/%s,", version) == -1)
					json_fail(&j, "out of memory");
				free(version);
			}
		} else if (!json_str_is(&key, "groups") && !json_str_is(&key, "versions")) {
			json_skip(&j, NULL);
		}
	}
	if (json_end(&j) == -1 || buf_terminate(&list) == -1) {
		buf_free(&list);
		return -1;
	}
	*paths = list.data;
	return 0;
}

static void
read_old_resource(struct json *j, const char *group, const char *version, struct types *types)
{
	struct type type = {.group = strdup(group), .version = strdup(version)};
	struct json_str key;

	if (enter(j, '{')) {
		while (json_member(j, &key) == 1) {
			if (json_str_is(&key, "name"))
				set_string(j, &type.resource);
			else if (json_str_is(&key, "singularName"))
				set_string(j, &type.singular);
			else if (json_str_is(&key, "kind"))
				set_string(j, &type.kind);
			else if (json_str_is(&key, "verbs"))
				set_list(j, &type.verbs);
			else if (json_str_is(&key, "shortNames"))
				set_list(j, &type.short_names);
			else if (json_str_is(&key, "categories"))
				set_list(j, &type.categories);
			else {
				if (json_str_is(&key, "namespaced"))
					type.namespaced = json_peek(j) == 't';
				json_skip(j, NULL);
			}
		}
		/* A subresource's name has a slash. */
		if (type.resource != NULL && strchr(type.resource, '/') == NULL &&
		    types_add(types, &type) == -1)
			json_fail(j, "out of memory");
	}
	type_free(&type);
}

int
discovery_resources(
    const char *text, size_t len, const char *group, const char *version, struct types *types)
{
	struct json j;
	struct json_str key;

	json_init(&j, text, len);
	json_enter(&j, '{');
	while (json_member(&j, &key) == 1) {
		if (!json_str_is(&key, "resources"))
			json_skip(&j, NULL);
		else if (enter(&j, '['))
			while (json_element(&j) == 1)
				read_old_resource(&j, group, version, types);
	}
	return json_end(&j);
}
