/* SPDX-License-Identifier: Apache-2.0 */
/* kpublish: publishes enveloped changes to an event bus, in order for each object, and loses
 * none.
 *
 * stdin: frames of kenvelope. stdout: nothing, but for the bus stdout:.
 * Exit: 0 when everything read is acknowledged, at the end of input or after SIGTERM/SIGINT; 1
 * on failure, 2 on wrong usage. */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "loop.h"
#include "tool.h"
#include "usage.h"

enum { OPT_ACK_FD = OPT_TOOL_FIRST_FREE, OPT_DEAD_LETTER, OPT_RETRY_TIMEOUT };

/* A decimal number up to INT_MAX; -1 for anything else. */
static int
number(const char *text)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < 0 || n > INT_MAX)
		return -1;
	return (int)n;
}

static bool
take_number(const struct tool *tool, const char *option, int *value)
{
	*value = number(optarg);
	if (*value == -1)
		log_error(&tool->log, "--%s: \"%s\" is not a number", option, optarg);
	return *value != -1;
}

static enum tool_option
other_option(struct tool *tool, int opt)
{
	char *help = opt == OPT_HELP ? usage_help() : NULL;
	enum tool_option result = tool_option(tool, opt, optarg, help != NULL ? help : "");

	free(help);
	return result;
}

/* -1: go on; else the exit code. */
static int
parse(int argc, char **argv, struct tool *tool, struct loop_options *o)
{
	static const struct option table[] = {
	    {"ack-fd", required_argument, NULL, OPT_ACK_FD},
	    {"dead-letter", required_argument, NULL, OPT_DEAD_LETTER},
	    {"retry-timeout", required_argument, NULL, OPT_RETRY_TIMEOUT},
	    TOOL_OPTIONS,
	    {NULL, 0, NULL, 0},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (opt) {
		case OPT_ACK_FD:
			if (!take_number(tool, "ack-fd", &o->ack_fd))
				return EXIT_USAGE;
			break;
		case OPT_DEAD_LETTER:
			o->dead_letter = optarg;
			break;
		case OPT_RETRY_TIMEOUT:
			if (!take_number(tool, "retry-timeout", &o->retry_timeout_s))
				return EXIT_USAGE;
			break;
		default:
			switch (other_option(tool, opt)) {
			case TOOL_OPTION_EXIT:
				return EXIT_OK;
			case TOOL_OPTION_USAGE:
				return EXIT_USAGE;
			default:
				break;
			}
		}
	}
	return -1;
}

static int
publish(struct tool *tool, const char *text, struct loop_options o)
{
	struct url url;
	const char *why;
	int code = EXIT_USAGE;
	int stop_fd = -1;

	if (url_parse(&url, text, &why) == -1) {
		log_error(&tool->log, "the URL of the bus %s", why);
		goto out;
	}
	o.url = &url;
	o.ops = bus_find(url.scheme);
	if (o.ops == NULL) {
		usage_unknown_scheme(&tool->log, &url);
		goto out;
	}
	if (!usage_known_params(&tool->log, o.ops, &url))
		goto out;
	code = EXIT_FAILED;
	stop_fd = tool_stop_fd(tool, SIGHUP);
	if (stop_fd != -1)
		code = loop_run(tool, stop_fd, &o);
out:
	if (stop_fd != -1)
		close(stop_fd);
	url_free(&url);
	return code;
}

/* The threads of the buses' libraries hand each other a message at a time, of many small pieces and a large one.
 * - An ordinary thread that is woken pushes its waker off the CPU, to wait at once for the lock that the waker
 *   holds: up to four switches a message with cnats. One of SCHED_BATCH has as much of the CPU, but waits for
 *   its turn: sched(7). Who has given the process another policy has had a reason.
 * - glibc keeps small free pieces as they are, and joins them all whenever it is asked for a large one. Joined
 *   as they are given back they cost less: M_MXFAST in mallopt(3). */
static void
prefer_throughput(void)
{
	const struct sched_param none = {.sched_priority = 0};

	if (sched_getscheduler(0) == SCHED_OTHER)
		(void)sched_setscheduler(0, SCHED_BATCH, &none); /* refused: slower, no more */
	(void)mallopt(M_MXFAST, 0);
}

int
main(int argc, char **argv)
{
	struct loop_options o = {.ack_fd = -1};
	struct tool tool;
	int code;

	prefer_throughput();
	tool_init(&tool, "kpublish");
	code = parse(argc, argv, &tool, &o);
	if (code != -1)
		return code;
	if (argc - optind != 1) {
		log_error(&tool.log, "wants the URL of one bus: see kpublish --help");
		return EXIT_USAGE;
	}
	return publish(&tool, argv[optind], o);
}
