/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

void
metrics_init(struct metrics *metrics, const struct log *log, const char *path,
    struct metric *table, size_t n)
{
	*metrics = (struct metrics){.path = path, .table = table, .n = n, .log = log};
}

static void
print_sample(FILE *f, const struct metric *m, const struct metric *before)
{
	static const char *const types[] = {"counter", "gauge"};

	if (before == NULL || strcmp(before->name, m->name) != 0)
		fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name,
		    types[m->type]);
	if (m->labels != NULL)
		fprintf(f, "%s{%s} %" PRIu64 "\n", m->name, m->labels, m->value);
	else
		fprintf(f, "%s %" PRIu64 "\n", m->name, m->value);
}

/* Writes path's neighbour and renames it over path: a reader sees the old or the new. */
static int
replace_file(const struct metrics *metrics)
{
	char tmp[PATH_MAX];
	int bad;
	FILE *f;

	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.tmp", metrics->path) >= sizeof(tmp)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	f = fopen(tmp, "we");
	if (f == NULL)
		return -1;
	for (size_t i = 0; i < metrics->n; i++)
		print_sample(f, &metrics->table[i], i > 0 ? &metrics->table[i - 1] : NULL);
	bad = ferror(f);
	if (fclose(f) == EOF || bad)
		return -1;
	return rename(tmp, metrics->path);
}

void
metrics_write(struct metrics *metrics)
{
	if (metrics->path == NULL)
		return;
	if (replace_file(metrics) == 0) {
		metrics->failed = 0;
	} else if (!metrics->failed) {
		log_warning(metrics->log, "%s: cannot write metrics: %s", metrics->path,
		    strerror(errno));
		metrics->failed = 1;
	}
}

void
metrics_tick(struct metrics *metrics)
{
	struct timespec now;

	if (metrics->path == NULL)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec < metrics->next)
		return;
	metrics->next = now.tv_sec + 1;
	metrics_write(metrics);
}
