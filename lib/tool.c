/* SPDX-License-Identifier: Apache-2.0 */
#include "tool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#ifndef KOLLECT_VERSION
#error "KOLLECT_VERSION comes from the Makefile"
#endif

void
tool_init(struct tool *tool, const char *name)
{
	*tool = (struct tool){
	    .log = {.tool = name, .format = LOG_TEXT, .fd = STDERR_FILENO},
	    .on_error = ON_ERROR_FAIL,
	};
}

static enum tool_option
wrong_value(struct tool *tool, const char *option, const char *arg, const char *known)
{
	log_error(&tool->log, "--%s: \"%s\" is none of %s", option, arg, known);
	return TOOL_OPTION_USAGE;
}

enum tool_option
tool_option(struct tool *tool, int opt, const char *arg, const char *help)
{
	switch (opt) {
	case OPT_HELP:
		fputs(help, stdout);
		return TOOL_OPTION_EXIT;
	case OPT_VERSION:
		printf("%s (kollect) %s\n", tool->log.tool, KOLLECT_VERSION);
		return TOOL_OPTION_EXIT;
	case OPT_LOG_FORMAT:
		if (log_format_parse(arg, &tool->log.format) == -1)
			return wrong_value(tool, "log-format", arg, "text, logfmt, json");
		return TOOL_OPTION_TAKEN;
	case OPT_ON_ERROR:
		if (strcmp(arg, "fail") != 0 && strcmp(arg, "skip") != 0)
			return wrong_value(tool, "on-error", arg, "fail, skip");
		tool->on_error = arg[0] == 's' ? ON_ERROR_SKIP : ON_ERROR_FAIL;
		return TOOL_OPTION_TAKEN;
	case OPT_METRICS:
		tool->metrics_path = arg;
		return TOOL_OPTION_TAKEN;
	default: /* '?': getopt has said what is wrong */
		fprintf(stderr, "Try '%s --help'.\n", tool->log.tool);
		return TOOL_OPTION_USAGE;
	}
}

int
tool_stop_fd(const struct tool *tool)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t stop;
	int fd;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	if (sigaction(SIGPIPE, &ignore, NULL) == -1 ||
	    sigprocmask(SIG_BLOCK, &stop, NULL) == -1 ||
	    (fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK)) == -1) {
		log_error(&tool->log, "cannot set up signals: %s", strerror(errno));
		return -1;
	}
	return fd;
}

bool
tool_stopping(int stop_fd)
{
	struct pollfd ready = {.fd = stop_fd, .events = POLLIN};

	return poll(&ready, 1, 0) == 1;
}
