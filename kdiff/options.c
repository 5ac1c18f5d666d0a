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
    "       kdiff --state=DIR --positions|--verify|--export|--forget=STREAM [--deletes]\n"
    "\n"
    "Keeps the last state of each object and writes a record for each change: created,\n"
    "updated (state before and after), deleted. Reads what kwatch writes, or what\n"
    "`kubectl get -w --output-watch-events -o json` prints.\n"
    "\n"
    "  -s, --state=DIR            keep what is known in DIR across runs\n"
    "      --baseline             learn each stream's first snapshot without records\n"
    "      --ignore-metadata      no record when only resourceVersion or managedFields differ\n"
    "      --ack-fd=N             read what the bus has accepted from descriptor N\n"
    "      --resync-fd=N          ask on descriptor N for a snapshot of each stream of which "
    "an\n"
    "                             audit shows that events were missed\n"
    "      --spool-max=SIZE       keep up to SIZE of records that are not accepted yet\n"
    "                             (default: 1GiB; 0: no limit)\n"
    "      --overflow=block|coalesce  when it is full: stop reading (the default), or from\n"
    "                             half on keep the latest change of each object alone\n"
    "      --sync=always|interval[:SECONDS]|never  bring each batch to the disk before its\n"
    "                             records leave (the default), each second, or at the end\n"
    "      --cluster-id=ID        refuse a store that was begun for another cluster\n"
    "      --positions            print from where each stream may be watched on\n"
    "      --verify               read all of the store, and say what is wrong with it\n"
    "      --export               print the objects that it knows\n"
    "      --forget=STREAM        drop a stream with its objects; with --deletes they are\n"
    "                             published as deleted at the next start\n" TOOL_OPTIONS_HELP
    "\n"
    "Exit status: 0 at the end of input, 1 on failure, 2 on wrong usage. See kdiff(1).\n";

enum { CLUSTER_ID_MAX = 256, SYNC_EVERY_MAX = 86400 };

enum {
	OPT_BASELINE = OPT_TOOL_FIRST_FREE,
	OPT_IGNORE_METADATA,
	OPT_ACK_FD,
	OPT_RESYNC_FD,
	OPT_SPOOL_MAX,
	OPT_OVERFLOW,
	OPT_SYNC,
	OPT_CLUSTER_ID,
	OPT_POSITIONS,
	OPT_VERIFY,
	OPT_EXPORT,
	OPT_FORGET,
	OPT_DELETES,
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

/* One of three words; the seconds of an interval may stand behind a colon. */
static bool
take_sync(const char *arg, struct kdiff *k)
{
	static const char *const words[] = {"always", "interval", "never"};
	static const char prefix[] = "interval:";
	unsigned long n;
	char *end;

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		k->sync = (enum kdiff_sync)i;
		if (strcmp(arg, words[i]) == 0)
			return true;
	}
	if (strncmp(arg, prefix, sizeof(prefix) - 1) != 0)
		return false;
	arg += sizeof(prefix) - 1;
	n = strtoul(arg, &end, 10);
	k->sync = SYNC_INTERVAL;
	k->sync_every = (unsigned)n;
	return *arg >= '0' && *arg <= '9' && *end == '\0' && n > 0 && n <= SYNC_EVERY_MAX;
}

/* As kenvelope takes it: text without control characters. */
static bool
good_cluster_id(const char *id)
{
	size_t len = strlen(id);

	if (len == 0 || len > CLUSTER_ID_MAX || !json_utf8_valid(id, len))
		return false;
	for (; *id != '\0'; id++) {
		if ((unsigned char)*id < 0x20 || *id == 0x7f)
			return false;
	}
	return true;
}

static int
wrong(const struct kdiff *k, const char *option, const char *what)
{
	log_error(&k->tool.log, "--%s: \"%s\" is %s", option, optarg, what);
	return EXIT_USAGE;
}

/* Is it one of those for what else is to be done? */
static bool
take_command(struct kdiff *k, int opt)
{
	switch (opt) {
	case OPT_POSITIONS:
		k->command = positions;
		return true;
	case OPT_VERIFY:
		k->command = verify;
		return true;
	case OPT_EXPORT:
		k->command = export;
		return true;
	case OPT_FORGET:
		k->command = forget;
		k->forget = optarg;
		return true;
	case OPT_DELETES:
		k->deletes = true;
		return true;
	}
	return false;
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
	case OPT_RESYNC_FD:
		return take_descriptor(optarg, &k->resync_fd)
			   ? -1
			   : wrong(k, "resync-fd", "no descriptor");
	case OPT_SPOOL_MAX:
		return size_parse(optarg, &k->spool_max)
			   ? -1
			   : wrong(k, "spool-max", "no size, as 500M or 1GiB");
	case OPT_OVERFLOW:
		return take_word(optarg, "block", "coalesce", &k->coalesce)
			   ? -1
			   : wrong(k, "overflow", "none of block, coalesce");
	case OPT_SYNC:
		return take_sync(optarg, k)
			   ? -1
			   : wrong(k, "sync",
				 "none of always, interval, interval:SECONDS, never");
	case OPT_CLUSTER_ID:
		k->cluster_id = optarg;
		return good_cluster_id(optarg)
			   ? -1
			   : wrong(k, "cluster-id", "no text of 1 to 256 bytes");
	}
	if (take_command(k, opt))
		return -1;
	switch (tool_option(&k->tool, opt, optarg, help)) {
	case TOOL_OPTION_EXIT:
		return EXIT_OK;
	case TOOL_OPTION_USAGE:
		return EXIT_USAGE;
	default:
		return -1;
	}
}

/* What is wrong with the options as a whole; NULL: nothing. */
static const char *
wrong_together(const struct kdiff *k)
{
	if (k->state != NULL && *k->state == '\0')
		return "--state: the directory's name is empty";
	if (k->command != NULL && k->state == NULL)
		return "there is no --state to look into";
	if (k->deletes && k->forget == NULL)
		return "--deletes goes with --forget";
	return NULL;
}

int
options_parse(struct kdiff *k, int argc, char **argv)
{
	static const struct option options[] = {
	    {"state", required_argument, NULL, 's'},
	    {"baseline", no_argument, NULL, OPT_BASELINE},
	    {"ignore-metadata", no_argument, NULL, OPT_IGNORE_METADATA},
	    {"ack-fd", required_argument, NULL, OPT_ACK_FD},
	    {"resync-fd", required_argument, NULL, OPT_RESYNC_FD},
	    {"spool-max", required_argument, NULL, OPT_SPOOL_MAX},
	    {"overflow", required_argument, NULL, OPT_OVERFLOW},
	    {"sync", required_argument, NULL, OPT_SYNC},
	    {"cluster-id", required_argument, NULL, OPT_CLUSTER_ID},
	    {"positions", no_argument, NULL, OPT_POSITIONS},
	    {"verify", no_argument, NULL, OPT_VERIFY},
	    {"export", no_argument, NULL, OPT_EXPORT},
	    {"forget", required_argument, NULL, OPT_FORGET},
	    {"deletes", no_argument, NULL, OPT_DELETES},
	    TOOL_OPTIONS,
	    {NULL, 0, NULL, 0},
	};
	const char *why;
	int status;
	int opt;

	while ((opt = getopt_long(argc, argv, "s:", options, NULL)) != -1) {
		status = take(k, opt);
		if (status != -1)
			return status;
	}
	why = wrong_together(k);
	if (optind < argc)
		log_error(&k->tool.log, "%s: kdiff takes no arguments, it reads standard input",
		    argv[optind]);
	else if (why != NULL)
		log_error(&k->tool.log, "%s", why);
	return optind < argc || why != NULL ? EXIT_USAGE : -1;
}
