/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choose.h"

enum { COLUMNS = 5, GAP = 3 };

static const char *const heads[COLUMNS] = {
    "NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"};

/* Fills the cells of one type; cell 2 is the caller's to free. */
static void
cells_of(const struct type *type, const char *cells[COLUMNS], char **api_version)
{
	*api_version = type_api_version(type);
	cells[0] = type->resource;
	cells[1] = type->short_names;
	cells[2] = *api_version != NULL ? *api_version : "";
	cells[3] = type->namespaced ? "true" : "false";
	cells[4] = type->kind;
}

static void
print_row(const char *const cells[COLUMNS], const int widths[COLUMNS], const char *last)
{
	for (int c = 0; c < COLUMNS; c++)
		printf("%-*s", widths[c] + GAP, cells[c]);
	printf("%s\n", last);
}

static void
print_rows(const struct types *types, const bool *chosen)
{
	int widths[COLUMNS];
	const char *cells[COLUMNS];
	char *api_version;

	for (int c = 0; c < COLUMNS; c++)
		widths[c] = (int)strlen(heads[c]);
	for (size_t i = 0; i < types->n; i++) {
		if (!chosen[i])
			continue;
		cells_of(&types->list[i], cells, &api_version);
		for (int c = 0; c < COLUMNS; c++)
			if ((int)strlen(cells[c]) > widths[c])
				widths[c] = (int)strlen(cells[c]);
		free(api_version);
	}
	print_row(heads, widths, "VERBS");
	for (size_t i = 0; i < types->n; i++) {
		if (!chosen[i])
			continue;
		cells_of(&types->list[i], cells, &api_version);
		print_row(cells, widths, types->list[i].verbs);
		free(api_version);
	}
}

int
table_print(const struct env *env, const struct types *types)
{
	bool *chosen = calloc(types->n + 1, sizeof(*chosen));
	int result = -1;

	if (chosen == NULL) {
		log_error(env->log, "out of memory");
	} else if (choose_types(env, types, chosen, false) == 0) {
		print_rows(types, chosen);
		result = fflush(stdout) == 0 ? 0 : -1;
		if (result == -1 && errno != EPIPE)
			log_error(env->log, "standard output: %s", strerror(errno));
	}
	free(chosen);
	return result;
}
