/* SPDX-License-Identifier: Apache-2.0 */
#include "usage.h"

#include <string.h>

#include "buf.h"
#include "tool.h"

enum { TEXT_SIZE = 16384 };

static const char help_begin[] =
    "Usage: kpublish [OPTION]... URL < frames\n"
    "Publish enveloped changes to an event bus, in order for each object.\n"
    "\n"
    "URL is one of\n";

static const char help_end[] =
    "\n"
    "      --ack-fd=N             tell on descriptor N up to where all is accepted\n"
    "      --dead-letter=FILE     append what the bus can never accept to FILE\n"
    "      --retry-timeout=SEC    give up when nothing is accepted for SEC seconds\n"
    "                             (default: never)\n" TOOL_OPTIONS_HELP;

/* A bus's form, and its help beside it or, where the form is long, below it. */
static void
add_bus(struct buf *help, const struct bus *bus)
{
	enum { COLUMN = 29 };
	const char *line = bus->help != NULL ? bus->help : "";
	int column = 2 + (int)strlen(bus->form);

	buf_printf(help, "  %s", bus->form);
	while (*line != '\0') {
		size_t len = strcspn(line, "\n");

		if (column >= COLUMN) {
			buf_addstr(help, "\n");
			column = 0;
		}
		buf_printf(help, "%*s%.*s", COLUMN - column, "", (int)len, line);
		column = COLUMN;
		line += len + (line[len] == '\n');
	}
	buf_addstr(help, "\n");
}

char *
usage_help(void)
{
	const struct bus *bus;
	struct buf help;

	buf_init(&help, TEXT_SIZE);
	buf_addstr(&help, help_begin);
	for (size_t i = 0; (bus = bus_at(i)) != NULL; i++)
		add_bus(&help, bus);
	buf_addstr(&help, help_end);
	buf_terminate(&help);
	return help.data;
}

void
usage_unknown_scheme(const struct log *log, const struct url *url)
{
	const struct bus *bus;
	struct buf known;

	buf_init(&known, TEXT_SIZE);
	for (size_t i = 0; (bus = bus_at(i)) != NULL; i++)
		buf_printf(&known, "%s%s", i > 0 ? ", " : "", bus->form);
	log_error(log, "%s: no bus is known by the scheme \"%s\": there are %s", url->shown,
	    url->scheme, known.len > 0 ? known.data : "");
	buf_free(&known);
}

bool
usage_known_params(const struct log *log, const struct bus *bus, const struct url *url)
{
	const char *unknown = bus->params != NULL ? url_unknown_param(url, bus->params) : NULL;
	struct buf known;

	if (unknown == NULL)
		return true;
	buf_init(&known, TEXT_SIZE);
	for (size_t i = 0; bus->params[i] != NULL; i++)
		buf_printf(&known, "%s%s", i > 0 ? ", " : "there are ", bus->params[i]);
	log_error(log, "%s: \"%s\" is no query parameter of it: %s", url->shown, unknown,
	    known.len > 0 ? known.data : "there is none");
	buf_free(&known);
	return false;
}
