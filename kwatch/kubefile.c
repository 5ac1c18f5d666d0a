/* SPDX-License-Identifier: Apache-2.0 */
#include "kubefile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "text.h"

enum { FILE_BYTES_MAX = 16 * 1024 * 1024, DEPTH_MAX = 100 };

static const char *
scalar(const yaml_node_t *node)
{
	return node != NULL && node->type == YAML_SCALAR_NODE
		   ? (const char *)node->data.scalar.value
		   : NULL;
}

yaml_node_t *
kubefile_member(struct kubeentry map, const char *key)
{
	yaml_node_pair_t *pair;

	if (map.node == NULL || map.node->type != YAML_MAPPING_NODE)
		return NULL;
	for (pair = map.node->data.mapping.pairs.start; pair < map.node->data.mapping.pairs.top;
	     pair++) {
		const char *name = scalar(yaml_document_get_node(&map.file->doc, pair->key));

		if (name != NULL && strcmp(name, key) == 0)
			return yaml_document_get_node(&map.file->doc, pair->value);
	}
	return NULL;
}

/* The member's text; NULL when it is absent, empty or null. */
const char *
kubefile_text(struct kubeentry map, const char *key)
{
	yaml_node_t *node = kubefile_member(map, key);
	const char *text = scalar(node);

	if (text == NULL || *text == '\0' ||
	    (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		(strcmp(text, "null") == 0 || strcmp(text, "~") == 0)))
		return NULL;
	return text;
}

/* The mapping called inner of the named element of a list: {name: x, cluster: {…}}. */
struct kubeentry
kubefile_find(struct kubefiles *files, const char *list, const char *name, const char *inner)
{
	for (size_t i = 0; i < files->n; i++) {
		struct kubeentry at = {.file = &files->file[i], .node = files->file[i].root};
		yaml_node_t *seq = kubefile_member(at, list);

		if (seq == NULL || seq->type != YAML_SEQUENCE_NODE)
			continue;
		for (yaml_node_item_t *item = seq->data.sequence.items.start;
		     item < seq->data.sequence.items.top; item++) {
			const char *text;

			at.node = yaml_document_get_node(&at.file->doc, *item);
			text = kubefile_text(at, "name");
			if (text == NULL || strcmp(text, name) != 0)
				continue;
			at.node = kubefile_member(at, inner);
			if (at.node != NULL && at.node->type == YAML_MAPPING_NODE)
				return at;
		}
	}
	return (struct kubeentry){NULL, NULL};
}

static int
not_yaml(const yaml_parser_t *parser, const char *path, const struct log *log)
{
	log_error(log, "%s:%zu: not a kubeconfig: %s", path, parser->problem_mark.line + 1,
	    parser->problem != NULL ? parser->problem : "cannot be read as YAML");
	return -1;
}

/* libyaml's time grows with the square of the nesting, so that is looked at before anything
 * else. */
static int
check_depth(const char *text, size_t len, const char *path, const struct log *log)
{
	yaml_parser_t parser;
	yaml_event_t event = {.type = YAML_NO_EVENT};
	int depth = 0;
	int result = 0;

	if (yaml_parser_initialize(&parser) == 0)
		return -1;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	while (result == 0 && event.type != YAML_STREAM_END_EVENT) {
		if (yaml_parser_parse(&parser, &event) == 0) {
			result = not_yaml(&parser, path, log);
			break;
		}
		depth += event.type == YAML_MAPPING_START_EVENT ||
			 event.type == YAML_SEQUENCE_START_EVENT;
		depth -= event.type == YAML_MAPPING_END_EVENT ||
			 event.type == YAML_SEQUENCE_END_EVENT;
		if (depth > DEPTH_MAX) {
			log_error(log, "%s:%zu: not a kubeconfig: nested too deeply", path,
			    event.start_mark.line + 1);
			result = -1;
		}
		if (event.type != YAML_STREAM_END_EVENT)
			yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return result;
}

static int
parse(struct kubefile *file, const char *text, size_t len, const struct log *log)
{
	yaml_parser_t parser;
	int result = -1;

	if (check_depth(text, len, file->path, log) == -1)
		return -1;
	if (yaml_parser_initialize(&parser) == 0) {
		log_error(log, "out of memory");
		return -1;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (yaml_parser_load(&parser, &file->doc) == 0) {
		not_yaml(&parser, file->path, log);
	} else {
		file->root = yaml_document_get_root_node(&file->doc);
		if (file->root == NULL)
			log_error(log, "%s: not a kubeconfig: the file is empty", file->path);
		else if (file->root->type != YAML_MAPPING_NODE)
			log_error(log, "%s: not a kubeconfig: no mapping of keys to values",
			    file->path);
		else
			result = 0;
		if (result == -1)
			yaml_document_delete(&file->doc);
	}
	yaml_parser_delete(&parser);
	return result;
}

/* Adds one file. 0; 1: it does not exist; -1 with a message. */
static int
add_file(struct kubefiles *files, const char *path)
{
	struct kubefile *file = &files->file[files->n];
	size_t len;
	char *text = file_read(path, FILE_BYTES_MAX, &len);
	int result = -1;

	if (text == NULL && errno == ENOENT)
		return 1;
	file->path = strdup(path);
	if (text == NULL)
		log_error(files->log, "%s: %s", path, strerror(errno));
	else if (file->path == NULL)
		log_error(files->log, "out of memory");
	else
		result = parse(file, text, len, files->log);
	if (result == 0)
		files->n++;
	else
		text_set(&file->path, NULL);
	if (text != NULL)
		explicit_bzero(text, len);
	free(text);
	return result;
}

int
kubefile_open(struct kubefiles *files, const char *list, bool strict)
{
	const char *missing = NULL;
	char *copy = strdup(list);
	char *rest = copy;
	char *path;
	int result = copy != NULL ? 0 : -1;

	while (result == 0 && (path = strsep(&rest, ":")) != NULL) {
		if (*path == '\0')
			continue;
		if (files->n == KUBEFILES_MAX) {
			log_error(files->log, "KUBECONFIG: more than %d files", KUBEFILES_MAX);
			result = -1;
			break;
		}
		switch (add_file(files, path)) {
		case 1:
			missing = missing != NULL ? missing : path;
			result = strict ? -1 : 0;
			break;
		case -1:
			result = -1;
			missing = NULL;
			break;
		default:
			break;
		}
	}
	if (result == 0 && files->n == 0)
		result = -1;
	if (result == -1 && missing != NULL && (strict || files->n == 0))
		log_error(files->log, "%s: %s", missing, strerror(ENOENT));
	free(copy);
	return result;
}

void
kubefile_close(struct kubefiles *files)
{
	for (size_t i = 0; i < files->n; i++) {
		yaml_document_delete(&files->file[i].doc);
		free(files->file[i].path);
	}
}
