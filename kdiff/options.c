/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: kdiff [options] < watch-events > change-records\n"
    "\n"
    "Keeps the last state of each object and writes a record for each change: created,\n"
    "updated (state before and after), deleted. Reads what kwatch writes, or what\n"
    "`kubectl get -w --output-watch-events -o json` prints.\n"
    "\n"
    "  -s, --state=DIR            keep what is known in DIR across runs\n"
    "      --baseline             learn each stream's first snapshot without records\n"
    "      --ignore-metadata      no record when only resourceVersion or managedFields differ\n"
    "      --ack-fd=N             read what the bus has accepted from descriptor "
    "N\n" TOOL_OPTIONS_HELP "\n"
    "Exit status: 0 at the end of input, 1 on failure, 2 on wrong usage. See kdiff(1).\n";

enum { OPT_BASELINE = OPT_TOOL_FIRST_FREE, OPT_IGNORE_METADATA, OPT_ACK_FD };

static bool
descriptor(const char *arg, int *fd)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(arg, &end, 10);
	*fd = (int)n;
	return errno == 0 && *arg != '\0' && *end == '\0' && n >= 0 && n <= INT_MAX;
}

int
options_parse(struct kdiff *k, int argc, char **argv)
{
	static const struct option options[] = {
	    {"state", required_argument, NULL, 's'},
	    {"baseline", no_argument, NULL, OPT_BASELINE},
	    {"ignore-metadata", no_argument, NULL, OPT_IGNORE_METADATA},
	    {"ack-fd", required_argument, NULL, OPT_ACK_FD},
	    TOOL_OPTIONS,
	    {NULL, 0, NULL, 0},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "s:", options, NULL)) != -1) {
		switch (opt) {
		case 's':
			k->state = optarg;
			break;
		case OPT_BASELINE:
			k->baseline = true;
			break;
		case OPT_IGNORE_METADATA:
			k->ignore_metadata = true;
			break;
		case OPT_ACK_FD:
			if (!descriptor(optarg, &k->ack_fd)) {
				log_error(
				    &k->tool.log, "--ack-fd: \"%s\" is no descriptor", optarg);
				return EXIT_USAGE;
			}
			break;
		default:
			switch (tool_option(&k->tool, opt, optarg, help)) {
			case TOOL_OPTION_TAKEN:
				break;
			case TOOL_OPTION_EXIT:
				return EXIT_OK;
			case TOOL_OPTION_USAGE:
				return EXIT_USAGE;
			}
		}
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
	return -1;
}

struct metric *
options_metrics(void)
{
#define EVENTS(label)                                                                        \
	{                                                                                    \
		"kollect_kdiff_events_total", label, "Watch events read.", METRIC_COUNTER, 0 \
	}
#define RECORDS(label)                                                           \
	{                                                                        \
		"kollect_kdiff_records_total", label, "Change records written.", \
		    METRIC_COUNTER, 0                                            \
	}
#define DROPPED(label)                                                                      \
	{                                                                                   \
		"kollect_kdiff_events_dropped_total", label, "Events that were no change.", \
		    METRIC_COUNTER, 0                                                       \
	}
	static const struct metric metrics[COUNTERS] = {
	    [COUNT_ADDED] = EVENTS("type=\"ADDED\""),
	    [COUNT_MODIFIED] = EVENTS("type=\"MODIFIED\""),
	    [COUNT_DELETED] = EVENTS("type=\"DELETED\""),
	    [COUNT_BOOKMARK] = EVENTS("type=\"BOOKMARK\""),
	    [COUNT_CREATED_RECORDS] = RECORDS("type=\"created\""),
	    [COUNT_UPDATED_RECORDS] = RECORDS("type=\"updated\""),
	    [COUNT_DELETED_RECORDS] = RECORDS("type=\"deleted\""),
	    [COUNT_UNCHANGED] = DROPPED("reason=\"unchanged\""),
	    [COUNT_STALE] = DROPPED("reason=\"stale\""),
	    [COUNT_IGNORED] = DROPPED("reason=\"metadata\""),
	    [COUNT_LEARNED] = DROPPED("reason=\"baseline\""),
	    [COUNT_BAD] = {"kollect_kdiff_bad_input_total", NULL,
		"Lines and items that could not be taken.", METRIC_COUNTER, 0},
	    [COUNT_GAPS] = {"kollect_kdiff_gaps_total", NULL,
		"Times that events may have been missed.", METRIC_COUNTER, 0},
	    [COUNT_SNAPSHOTS] = {"kollect_kdiff_snapshots_total", NULL, "Snapshots completed.",
		METRIC_COUNTER, 0},
	    [COUNT_INPUT_BYTES] = {"kollect_kdiff_input_bytes_total", NULL, "Bytes read.",
		METRIC_COUNTER, 0},
	    [COUNT_OUTPUT_BYTES] = {"kollect_kdiff_output_bytes_total", NULL, "Bytes written.",
		METRIC_COUNTER, 0},
	    [COUNT_OBJECTS] = {"kollect_kdiff_objects", NULL, "Objects known.", METRIC_GAUGE,
		0},
	    [COUNT_SEQ] = {"kollect_kdiff_sequence", NULL,
		"Sequence number of the last record.", METRIC_GAUGE, 0},
	    [COUNT_ACKED] = {"kollect_kdiff_acked_sequence", NULL,
		"Sequence number up to which the bus has accepted all.", METRIC_GAUGE, 0},
	};
	struct metric *copy = malloc(sizeof(metrics));

	if (copy != NULL)
		memcpy(copy, metrics, sizeof(metrics));
	return copy;
}
