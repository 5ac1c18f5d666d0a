/* SPDX-License-Identifier: Apache-2.0 */
/* What every tool has: its name and log, the common options, what to do about bad input,
 * the metrics file, and the request to stop. */
#ifndef TOOL_H
#define TOOL_H

#include <getopt.h>
#include <stdbool.h>

#include "log.h"

enum on_error {
	ON_ERROR_FAIL, /* a bad line or frame ends the tool with exit code 1 */
	ON_ERROR_SKIP, /* it is named, counted and passed over */
};

enum {
	EXIT_OK = 0,     /* end of input, everything handed on */
	EXIT_FAILED = 1, /* what went wrong is on standard error */
	EXIT_USAGE = 2,  /* the command line is wrong */
};

struct tool {
	struct log log;
	enum on_error on_error;
	const char *metrics_path; /* NULL without --metrics */
};

/* Values of the common long options, beyond every short one. */
enum {
	OPT_HELP = 1000,
	OPT_VERSION,
	OPT_LOG_FORMAT,
	OPT_ON_ERROR,
	OPT_METRICS,
	OPT_TOOL_FIRST_FREE, /* a tool's own long-only options begin here */
};

/* The rows for a tool's struct option table. */
#define TOOL_OPTIONS                                                                        \
	{"help", no_argument, NULL, OPT_HELP}, {"version", no_argument, NULL, OPT_VERSION}, \
	    {"log-format", required_argument, NULL, OPT_LOG_FORMAT},                        \
	    {"on-error", required_argument, NULL, OPT_ON_ERROR},                            \
	{                                                                                   \
		"metrics", required_argument, NULL, OPT_METRICS                             \
	}

/* The lines for a tool's --help. */
#define TOOL_OPTIONS_HELP                                                              \
	"      --on-error=fail|skip   what a bad line or frame does (default: fail)\n" \
	"      --log-format=FORMAT    text, logfmt or json (default: text)\n"          \
	"      --metrics=FILE         keep Prometheus metrics in FILE\n"               \
	"      --help                 show this and exit\n"                            \
	"      --version              show the version and exit\n"

enum tool_option {
	TOOL_OPTION_TAKEN,
	TOOL_OPTION_EXIT,  /* --help or --version has been answered: exit 0 */
	TOOL_OPTION_USAGE, /* wrong, and said so: exit 2 */
};

/* Sets the defaults; to be called first. A standard descriptor that is closed stays unusable,
 * and no file that is opened later gets its number. name is borrowed. */
void tool_init(struct tool *tool, const char *name);

/* What getopt_long returned and is none of the tool's own; '?' included. help: the text for
 * --help, on standard output. */
enum tool_option tool_option(struct tool *tool, int opt, const char *arg, const char *help);

/* Blocks SIGTERM and SIGINT (each unless it is ignored already) and returns a descriptor that
 * becomes readable when one has come, for poll(2); ignores SIGPIPE and SIGXFSZ. -1 with a
 * message. To be called before any thread is made. another: a signal that comes there too,
 * which the tool tells from a wish to stop by reading it (signalfd(2)); 0: none. */
int tool_stop_fd(const struct tool *tool, int another);

/* Has a signal come on it? Does not block and does not take it away. */
bool tool_stopping(int stop_fd);

#endif
