/* SPDX-License-Identifier: Apache-2.0 */
#include "positions.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "input.h"
#include "stream.h"
#include "text.h"
#include "tool.h"

enum {
	LINE_MAX_BYTES = 128 * 1024, /* no server takes a URL of that length */
	FIELDS = 3,
};

/* A walk over the file. */
struct reading {
	struct positions *positions;
	const char *file; /* for messages */
	const struct log *log;
	uint64_t line;
};

static int
malformed(const struct reading *r, const char *why)
{
	log_error(r->log, "%s:%" PRIu64 ": %s", r->file, r->line, why);
	return EXIT_USAGE;
}

static int
failed(const struct reading *r, const char *why)
{
	log_error(r->log, "%s: %s", r->file, why);
	return EXIT_FAILED;
}

static void
position_free(struct position *p)
{
	free(p->name);
	free(p->version);
	free(p->ns);
	free(p->selectors);
	type_free(&p->type);
}

void
positions_free(struct positions *positions)
{
	for (size_t i = 0; i < positions->n; i++)
		position_free(&positions->list[i]);
	free(positions->list);
	*positions = (struct positions){.list = NULL};
}

static struct position *
add(struct positions *positions)
{
	size_t size = positions->size > 0 ? 2 * positions->size : 64;
	struct position *list;

	if (positions->n == positions->size) {
		list = realloc(positions->list, size * sizeof(*list));
		if (list == NULL)
			return NULL;
		positions->list = list;
		positions->size = size;
	}
	positions->list[positions->n] = (struct position){.name = NULL};
	return &positions->list[positions->n++];
}

/* Is it text of printable ASCII characters alone, as paths and resourceVersions are? */
static bool
is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

/* Cuts the first part off a path: "/apis/apps/v1" gives "apis" and leaves "/apps/v1". NULL: there
 * is none. The caller frees. */
static char *
take_part(const char **path)
{
	size_t n;
	char *part;

	if (**path != '/')
		return NULL;
	n = strcspn(*path + 1, "/");
	part = strndup(*path + 1, n);
	*path += n + 1;
	return part;
}

/* /api/V/R, /api/V/namespaces/NS/R, and the same behind /apis/GROUP. false: it is none. */
static bool
parse_path(struct position *p, const char *path)
{
	char *root = take_part(&path);

	if (root != NULL && strcmp(root, "apis") == 0)
		p->type.group = take_part(&path);
	else if (root != NULL && strcmp(root, "api") == 0)
		p->type.group = strdup("");
	free(root);
	p->type.version = take_part(&path);
	p->type.resource = take_part(&path);
	if (p->type.resource != NULL && strcmp(p->type.resource, "namespaces") == 0 &&
	    *path != '\0') {
		p->ns = take_part(&path);
		text_set(&p->type.resource, take_part(&path));
	} else {
		p->ns = strdup("");
	}
	return p->type.group != NULL && p->type.version != NULL && *p->type.version != '\0' &&
	       p->type.resource != NULL && *p->type.resource != '\0' && p->ns != NULL &&
	       *path == '\0';
}

/* The line's fields, each ended by a NUL; those that are not there are "". false: there are too
 * many, or not even two. */
static bool
split(char *line, char *fields[FIELDS])
{
	char *rest = line;
	size_t n = 0;

	while (rest != NULL && n < FIELDS)
		fields[n++] = strsep(&rest, "\t");
	for (size_t i = n; i < FIELDS; i++)
		fields[i] = line + strlen(line);
	return rest == NULL && n >= 2;
}

static int
take_line(struct reading *r, char *line)
{
	char *fields[FIELDS];
	struct position *p;
	char *path;
	char *query;
	bool good;

	if (!split(line, fields))
		return malformed(r, "expected a path, a tab and a resourceVersion");
	if (!is_plain(fields[0]) || !is_plain(fields[1]) || !is_plain(fields[2]) ||
	    strlen(fields[1]) >= RESOURCE_VERSION_MAX)
		return malformed(r, "no path and resourceVersion of a stream");
	if (positions_find(r->positions, fields[0]) != NULL)
		return malformed(r, "the stream stands there twice");
	p = add(r->positions);
	if (p == NULL)
		return failed(r, "out of memory");
	p->name = strdup(fields[0]);
	p->version = strdup(strcmp(fields[1], "0") == 0 ? "" : fields[1]);
	p->type.kind = strdup(fields[2]);
	query = strchr(fields[0], '?');
	p->selectors = strdup(query != NULL ? query + 1 : "");
	path = strndup(fields[0], strcspn(fields[0], "?"));
	if (p->name == NULL || p->version == NULL || p->type.kind == NULL ||
	    p->selectors == NULL || path == NULL) {
		free(path);
		return failed(r, "out of memory");
	}
	good = parse_path(p, path);
	free(path);
	return good ? EXIT_OK : malformed(r, "the path is none of a list of objects");
}

/* The whole lines that are there. */
static int
take_lines(struct reading *r, struct input *in)
{
	int code = EXIT_OK;
	char *line;
	size_t len;

	while (code == EXIT_OK && input_line(in, &line, &len)) {
		r->line++;
		line[len] = '\0';
		code = strlen(line) == len ? take_line(r, line) : malformed(r, "a NUL byte");
		input_take(in, len + 1);
	}
	return code;
}

static int
read_all(struct reading *r, int fd)
{
	struct input in;
	int code = EXIT_OK;

	input_init(&in, fd, LINE_MAX_BYTES);
	while (code == EXIT_OK && !in.eof) {
		switch (input_fill(&in)) {
		case INPUT_OK:
		case INPUT_EOF:
			code = take_lines(r, &in);
			break;
		case INPUT_AGAIN:
			(void)input_ready(&in, -1, -1);
			break;
		case INPUT_FULL:
			r->line++;
			code = malformed(r, "the line is too long");
			break;
		case INPUT_ERROR:
			code = failed(r, strerror(errno));
			break;
		}
	}
	if (code == EXIT_OK && input_len(&in) > 0) {
		r->line++; /* whoever wrote it did not come to its end */
		code = malformed(r, "the file ends within the line");
	}
	input_free(&in);
	return code;
}

int
positions_read(struct positions *positions, const char *file, const struct log *log)
{
	bool standard = strcmp(file, "-") == 0;
	struct reading r = {
	    .positions = positions, .file = standard ? "standard input" : file, .log = log};
	int fd = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
	int code;

	*positions = (struct positions){.list = NULL};
	if (fd == -1)
		return failed(&r, strerror(errno));
	code = read_all(&r, fd);
	if (!standard)
		close(fd);
	return code;
}

struct position *
positions_find(const struct positions *positions, const char *name)
{
	for (size_t i = 0; i < positions->n; i++)
		if (!positions->list[i].done && strcmp(positions->list[i].name, name) == 0)
			return &positions->list[i];
	return NULL;
}
