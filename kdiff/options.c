/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "size.h"

static const char help[] =
    "usage: kdiff [options] < watch-events > change-records\n"
    "       kdiff --state=DIR --positions\n"
    "\n"
    "Keeps the last state of each object and writes a record for each change: created,\n"
    "updated (state before and after), deleted. Reads what kwatch writes, or what\n"
    "`kubectl get -w --output-watch-events -o json` prints.\n"
    "\n"
    "  -s, --state=DIR            keep what is known in DIR across runs\n"
    "      --baseline             learn each stream's first snapshot without records\n"
    "      --ignore-metadata      no record when only resourceVersion or managedFields differ\n"
    "      --ack-fd=N             read what the bus has accepted from descriptor N\n"
    "      --spool-max=SIZE       keep up to SIZE of records that are not accepted yet\n"
    "                             (default: 1GiB; 0: no limit)\n"
    "      --overflow=block|coalesce  when it is full: stop reading (the default), or from\n"
    "                             half on keep the latest change of each object "
    "alone\n"
    "      --positions            print from where each stream may be watched "
    "on\n" TOOL_OPTIONS_HELP "\n"
    "Exit status: 0 at the end of input, 1 on failure, 2 on wrong usage. See kdiff(1).\n";

enum {
	OPT_BASELINE = OPT_TOOL_FIRST_FREE,
	OPT_IGNORE_METADATA,
	OPT_ACK_FD,
	OPT_SPOOL_MAX,
	OPT_OVERFLOW,
	OPT_POSITIONS,
};

static bool
take_descriptor(const char *arg, int *fd)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(arg, &end, 10);
	*fd = (int)n;
	return errno == 0 && *arg != '\0' && *end == '\0' && n >= 0 && n <= INT_MAX;
}

/* One of two words; *second: which. */
static bool
take_word(const char *arg, const char *first, const char *other, bool *second)
{
	*second = strcmp(arg, other) == 0;
	return *second || strcmp(arg, first) == 0;
}

static int
wrong(const struct kdiff *k, const char *option, const char *what)
{
	log_error(&k->tool.log, "--%s: \"%s\" is %s", option, optarg, what);
	return EXIT_USAGE;
}

/* -1: taken; otherwise the exit code. */
static int
take(struct kdiff *k, int opt)
{
	switch (opt) {
	case 's':
		k->state = optarg;
		return -1;
	case OPT_BASELINE:
		k->baseline = true;
		return -1;
	case OPT_IGNORE_METADATA:
		k->ignore_metadata = true;
		return -1;
	case OPT_ACK_FD:
		return take_descriptor(optarg, &k->ack_fd)
			   ? -1
			   : wrong(k, "ack-fd", "no descriptor");
	case OPT_SPOOL_MAX:
		return size_parse(optarg, &k->spool_max)
			   ? -1
			   : wrong(k, "spool-max", "no size, as 500M or 1GiB");
	case OPT_OVERFLOW:
		return take_word(optarg, "block", "coalesce", &k->coalesce)
			   ? -1
			   : wrong(k, "overflow", "none of block, coalesce");
	case OPT_POSITIONS:
		k->command = positions;
		return -1;
	}
	switch (tool_option(&k->tool, opt, optarg, help)) {
	case TOOL_OPTION_EXIT:
		return EXIT_OK;
	case TOOL_OPTION_USAGE:
		return EXIT_USAGE;
	default:
		return -1;
	}
}

int
options_parse(struct kdiff *k, int argc, char **argv)
{
	static const struct option options[] = {
	    {"state", required_argument, NULL, 's'},
	    {"baseline", no_argument, NULL, OPT_BASELINE},
	    {"ignore-metadata", no_argument, NULL, OPT_IGNORE_METADATA},
	    {"ack-fd", required_argument, NULL, OPT_ACK_FD},
	    {"spool-max", required_argument, NULL, OPT_SPOOL_MAX},
	    {"overflow", required_argument, NULL, OPT_OVERFLOW},
	    {"positions", no_argument, NULL, OPT_POSITIONS},
	    TOOL_OPTIONS,
	    {NULL, 0, NULL, 0},
	};
	int status;
	int opt;

	while ((opt = getopt_long(argc, argv, "s:", options, NULL)) != -1) {
		status = take(k, opt);
		if (status != -1)
			return status;
	}
	if (optind < argc) {
		log_error(&k->tool.log, "%s: kdiff takes no arguments, it reads standard input",
		    argv[optind]);
		return EXIT_USAGE;
	}
	if (k->state != NULL && *k->state == '\0') {
		log_error(&k->tool.log, "--state: the directory's name is empty");
		return EXIT_USAGE;
	}
	if (k->command != NULL && k->state == NULL) {
		log_error(&k->tool.log, "there is no --state to look into");
		return EXIT_USAGE;
	}
	return -1;
}
