/* SPDX-License-Identifier: Apache-2.0 */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#ifndef KOLLECT_VERSION
#error "KOLLECT_VERSION comes from the Makefile"
#endif

/* A standard descriptor that is closed is taken by one that refuses what the tool does with it:
 * the next file opened would get its number, and a store written to as standard output is lost.
 */
static void
occupy_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) ==
		    -1) /* open returns the lowest that is free: this one */
			(void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
}

void
tool_init(struct tool *tool, const char *name)
{
	occupy_standard_fds();
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

/* A signal that was ignored when the tool began is for someone else: a shell that put the tool
 * in the background, or a supervisor that ends it in its own way. */
static void
add_unless_ignored(sigset_t *set, int sig)
{
	struct sigaction now;

	if (sigaction(sig, NULL, &now) == 0 && now.sa_handler != SIG_IGN)
		sigaddset(set, sig);
}

int
tool_stop_fd(const struct tool *tool, int another)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t stop;
	int fd;

	sigemptyset(&stop);
	add_unless_ignored(&stop, SIGTERM);
	add_unless_ignored(&stop, SIGINT);
	if (another != 0)
		add_unless_ignored(&stop, another);
	/* A reader that has gone and a file at its limit are errors of the write. */
	if (sigaction(SIGPIPE, &ignore, NULL) == -1 ||
	    sigaction(SIGXFSZ, &ignore, NULL) == -1 ||
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
