/* SPDX-License-Identifier: Apache-2.0 */
/* The files that make up a kubeconfig. No merged structure is built: each name is looked up
 * through the files in their order, so that the first one wins, and what was found remembers
 * its file, whose folder relative paths are relative to. */
#ifndef KUBEFILE_H
#define KUBEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "log.h"

enum { KUBEFILES_MAX = 32 };

struct kubefile {
	char *path;
	yaml_document_t doc;
	yaml_node_t *root;
};

struct kubefiles {
	struct kubefile file[KUBEFILES_MAX];
	size_t n;
	const struct log *log;
};

/* A mapping in a file. */
struct kubeentry {
	struct kubefile *file;
	yaml_node_t *node; /* NULL: not found */
};

/* Reads the colon-separated list into the zeroed *files (its log set). strict: a file that does
 * not exist is an error; else only if none of them does. 0, or -1 with a message;
 * kubefile_close in either case. */
int kubefile_open(struct kubefiles *files, const char *list, bool strict);
void kubefile_close(struct kubefiles *files);

/* The mapping called inner of the named element of a list: {name: x, cluster: {…}}. */
struct kubeentry kubefile_find(
    struct kubefiles *files, const char *list, const char *name, const char *inner);
/* A member of the mapping, or NULL. */
yaml_node_t *kubefile_member(struct kubeentry map, const char *key);
/* The member's text, borrowed; NULL when it is absent, empty, null or no text. */
const char *kubefile_text(struct kubeentry map, const char *key);

#endif
