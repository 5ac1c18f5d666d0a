/* SPDX-License-Identifier: Apache-2.0 */
#include "types.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "text.h"

/* Groups that serve the same objects as another one: the first is left for the second. */
static const struct {
	const char *resource;
	const char *group;
	const char *instead;
} aliases[] = {
    {"events", "events.k8s.io", ""},
    {"ingresses", "extensions", "networking.k8s.io"},
    {"networkpolicies", "extensions", "networking.k8s.io"},
    {"deployments", "extensions", "apps"},
    {"daemonsets", "extensions", "apps"},
    {"replicasets", "extensions", "apps"},
    {"podsecuritypolicies", "extensions", "policy"},
};

void
type_free(struct type *type)
{
	free(type->group);
	free(type->version);
	free(type->resource);
	free(type->singular);
	free(type->kind);
	free(type->short_names);
	free(type->categories);
	free(type->verbs);
	*type = (struct type){.group = NULL};
}

static char *
copy(const char *text, bool *bad)
{
	char *new = strdup(text != NULL ? text : "");

	*bad |= new == NULL;
	return new;
}

int
type_copy(struct type *to, const struct type *from)
{
	bool bad = false;

	*to = (struct type){
	    .group = copy(from->group, &bad),
	    .version = copy(from->version, &bad),
	    .resource = copy(from->resource, &bad),
	    .singular = copy(from->singular, &bad),
	    .kind = copy(from->kind, &bad),
	    .short_names = copy(from->short_names, &bad),
	    .categories = copy(from->categories, &bad),
	    .verbs = copy(from->verbs, &bad),
	    .namespaced = from->namespaced,
	    .preferred = from->preferred,
	};
	if (bad)
		type_free(to);
	return bad ? -1 : 0;
}

char *
type_api_version(const struct type *type)
{
	return text_printf(
	    "%s%s%s", type->group, *type->group != '\0' ? "/" : "", type->version);
}

void
types_free(struct types *types)
{
	for (size_t i = 0; i < types->n; i++)
		type_free(&types->list[i]);
	free(types->list);
	free(types->stale);
	*types = (struct types){.list = NULL};
}

static int
grow(struct types *types, size_t n)
{
	size_t size = types->size > 0 ? types->size : 64;
	struct type *list;

	while (size < types->n + n)
		size *= 2;
	if (size == types->size)
		return 0;
	list = realloc(types->list, size * sizeof(*list));
	if (list == NULL)
		return -1;
	types->list = list;
	types->size = size;
	return 0;
}

int
types_add(struct types *types, const struct type *type)
{
	if (grow(types, 1) == -1 || type_copy(&types->list[types->n], type) == -1)
		return -1;
	types->n++;
	return 0;
}

static int
add_stale(struct types *types, const char *list)
{
	char *longer = text_printf("%s%s%s", types->stale != NULL ? types->stale : "",
	    types->stale != NULL ? "," : "", list);

	if (longer == NULL)
		return -1;
	text_set(&types->stale, longer);
	return 0;
}

int
types_append(struct types *types, struct types *from)
{
	int bad = 0;

	if (from->n > 0 && (bad = grow(types, from->n)) == 0) {
		memcpy(types->list + types->n, from->list, from->n * sizeof(*from->list));
		types->n += from->n;
		from->n = 0;
	}
	if (bad == 0 && from->stale != NULL)
		bad = add_stale(types, from->stale);
	types_free(from);
	return bad;
}

int
types_mark_stale(struct types *types, const char *group, const char *version)
{
	char *word = text_printf("%s/%s", group, version);
	int bad = word == NULL ? -1 : add_stale(types, word);

	free(word);
	return bad;
}

bool
types_is_stale(const struct types *types, const struct type *type)
{
	const char *versions[] = {type->version, "*"};
	bool stale = false;

	for (size_t i = 0; i < 2 && types->stale != NULL && !stale; i++) {
		char *word = text_printf("%s/%s", type->group, versions[i]);

		/* Out of memory: the careful answer. */
		stale = word == NULL || text_in_list(types->stale, word);
		free(word);
	}
	return stale;
}

bool
types_group_is_stale(const struct types *types, const char *group)
{
	const char *word = types->stale;
	size_t n = strlen(group);

	while (word != NULL && *word != '\0') {
		if (strncmp(word, group, n) == 0 && word[n] == '/')
			return true;
		word += strcspn(word, ",");
		word += *word == ',';
	}
	return false;
}

bool
types_watchable(const struct type *type)
{
	return text_in_list(type->verbs, "list") && text_in_list(type->verbs, "watch");
}

static bool
has(const struct types *types, const char *group, const char *resource)
{
	for (size_t i = 0; i < types->n; i++)
		if (strcmp(types->list[i].group, group) == 0 &&
		    strcmp(types->list[i].resource, resource) == 0 &&
		    types_watchable(&types->list[i]))
			return true;
	return false;
}

static bool
is_alias(const struct types *types, const struct type *type)
{
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (strcmp(type->resource, aliases[i].resource) == 0 &&
		    strcmp(type->group, aliases[i].group) == 0 &&
		    has(types, aliases[i].instead, aliases[i].resource))
			return true;
	return false;
}

void
types_prefer(struct types *types)
{
	for (size_t i = 0; i < types->n; i++) {
		struct type *type = &types->list[i];
		bool first = types_watchable(type) && !is_alias(types, type);

		for (size_t k = 0; k < i && first; k++)
			first = !types->list[k].preferred ||
				strcmp(types->list[k].group, type->group) != 0 ||
				strcmp(types->list[k].resource, type->resource) != 0;
		type->preferred = first;
	}
}

const struct type *
types_find(const struct types *types, const struct type *like)
{
	for (size_t i = 0; i < types->n; i++) {
		const struct type *type = &types->list[i];

		if (strcmp(type->resource, like->resource) == 0 &&
		    strcmp(type->group, like->group) == 0 &&
		    strcmp(type->version, like->version) == 0)
			return type;
	}
	return NULL;
}

/* kubectl's order: what a type is called comes before what it may be called for short. */
enum match { MATCH_NAME, MATCH_KIND, MATCH_SHORT, MATCHES };

static bool
matches(const struct type *type, enum match how, const char *name)
{
	switch (how) {
	case MATCH_NAME:
		return strcasecmp(type->resource, name) == 0 ||
		       strcasecmp(type->singular, name) == 0;
	case MATCH_KIND:
		return strcasecmp(type->kind, name) == 0;
	case MATCH_SHORT:
		return text_in_list(type->short_names, name);
	case MATCHES:
		break;
	}
	return false;
}

/* version NULL: any, but the preferred one first. group NULL: any; else exact, else its
 * beginning. */
static size_t
look_up(const struct types *types, const char *name, const char *version, const char *group)
{
	for (int how = 0; how < MATCHES; how++) {
		for (int prefix = 0; prefix < (group != NULL ? 2 : 1); prefix++) {
			size_t found = types->n;

			for (size_t i = 0; i < types->n; i++) {
				const struct type *type = &types->list[i];

				if (!matches(type, (enum match)how, name) ||
				    (version != NULL &&
					strcasecmp(type->version, version) != 0) ||
				    (group != NULL &&
					(prefix ? strncasecmp(
						      type->group, group, strlen(group)) != 0
						: strcasecmp(type->group, group) != 0)))
					continue;
				if (type->preferred)
					return i;
				if (found == types->n)
					found = i;
			}
			if (found < types->n)
				return found;
		}
	}
	return types->n;
}

static enum types_found
choose_category(const struct types *types, const char *name, bool *chosen)
{
	enum types_found found = TYPES_NONE;

	for (size_t i = 0; i < types->n; i++) {
		if (types->list[i].preferred && text_in_list(types->list[i].categories, name)) {
			chosen[i] = true;
			found = TYPES_OK;
		}
	}
	return found;
}

/* name, name.version.group or name.group; takes the text apart. */
static enum types_found
choose_one(const struct types *types, char *name, bool *chosen)
{
	char *rest = strchr(name, '.');
	size_t i = types->n;

	if (rest == NULL) {
		i = look_up(types, name, NULL, NULL);
	} else {
		char *dot;

		*rest++ = '\0';
		dot = strchr(rest, '.');
		if (dot != NULL) {
			*dot = '\0';
			i = look_up(types, name, rest, dot + 1);
			*dot = '.';
		}
		if (i == types->n && *rest != '\0')
			i = look_up(types, name, NULL, rest);
		if (i == types->n) /* pods.v1: the core group, as kubectl's "pods.v1." */
			i = look_up(types, name, rest, "");
	}
	if (i == types->n)
		return rest == NULL ? choose_category(types, name, chosen) : TYPES_NONE;
	chosen[i] = true;
	return types_watchable(&types->list[i]) ? TYPES_OK : TYPES_NOT_WATCHABLE;
}

enum types_found
types_choose(const struct types *types, const char *arg, bool *chosen)
{
	char *copied = strdup(arg);
	char *rest = copied;
	char *name;
	enum types_found found = copied != NULL ? TYPES_NONE : TYPES_NO_MEMORY;

	while (rest != NULL && (name = strsep(&rest, ",")) != NULL) {
		found = choose_one(types, name, chosen);
		if (found != TYPES_OK)
			break;
	}
	free(copied);
	return found;
}
