/* SPDX-License-Identifier: Apache-2.0 */
/* The types that a server has, and which of them a name on the command line means. */
#ifndef TYPES_H
#define TYPES_H

#include <stdbool.h>
#include <stddef.h>

/* Strings are owned by the table or the copy. Lists are comma-separated. */
struct type {
	char *group; /* "" is the core group */
	char *version;
	char *resource; /* the plural, as in paths */
	char *singular;
	char *kind;
	char *short_names;
	char *categories;
	char *verbs;
	bool namespaced;
	bool preferred; /* among the versions of its group, and among groups with the same
			   objects */
};

struct types {
	struct type *list; /* in the server's order: the first is what an open name means */
	size_t n;
	size_t size;
	char *stale; /* group/version list of what the server could not be asked about */
};

enum types_found {
	TYPES_OK,
	TYPES_NONE,          /* no type has that name */
	TYPES_NOT_WATCHABLE, /* it lacks list or watch */
	TYPES_NO_MEMORY,
};

void types_free(struct types *types);

/* Appends a copy. 0 or -1 (out of memory). */
int types_add(struct types *types, const struct type *type);
/* Moves all of from to the end of types; from is empty then, also on failure. 0 or -1. */
int types_append(struct types *types, struct types *from);
/* Notes that the server does not know at present what this group and version has; version "*"
 * stands for each. 0 or -1. */
int types_mark_stale(struct types *types, const char *group, const char *version);
bool types_is_stale(const struct types *types, const struct type *type);
/* Is that so of any version of the group? */
bool types_group_is_stale(const struct types *types, const char *group);

/* Marks the preferred ones. To be called once all are added. */
void types_prefer(struct types *types);

/* Has it both list and watch? */
bool types_watchable(const struct type *type);
/* The one with that group, version and resource; NULL: there is none. */
const struct type *types_find(const struct types *types, const struct type *like);

/* Sets chosen[i] for each type that the argument means: a plural, singular, kind or short name,
 * with .version.group or .group behind it; a category; or several with commas between, as
 * kubectl. The case of letters does not count. chosen has types->n elements. */
enum types_found types_choose(const struct types *types, const char *arg, bool *chosen);

/* A copy in *to. 0 or -1, with nothing to free. */
int type_copy(struct type *to, const struct type *from);
void type_free(struct type *type);

/* "v1" or "apps/v1": memory of the caller's, NULL when there is none. */
char *type_api_version(const struct type *type);

#endif
