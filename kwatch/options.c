/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_SIZE_MAX = 100000, NUMBER_DIGITS = 9 };

#define INTERVAL_MAX_MS INT64_C(2000000000) /* 23 days; a wait for it fits an int */

static const char help[] =
    "Usage: kwatch [options] [TYPE...]\n"
    "Prints every change of a Kubernetes cluster's objects as watch events, one a line.\n"
    "\n"
    "TYPE is what kubectl takes: pods, pod, po, deployments.apps, cronjobs.v1.batch.\n"
    "Without one: each type that can be listed and watched.\n"
    "\n"
    "  -n, --namespace=NS         only this namespace; may be repeated (default: all)\n"
    "  -A, --all-namespaces       all namespaces\n"
    "  -l, --selector=QUERY       only objects with these labels\n"
    "      --field-selector=QUERY only objects with these fields\n"
    "      --once                 stop after what exists now: a dump of the cluster\n"
    "      --resume=FILE          go on where an earlier run had come to, as FILE (-: "
    "standard\n"
    "                             input) has it from kdiff --positions\n"
    "      --audit-interval=TIME  list what exists once in each 1h, 30m, 10s, for kdiff to\n"
    "                             compare with what it knows (default: never)\n"
    "      --resync-fd=N          take a snapshot of each stream that is named on descriptor "
    "N\n"
    "      --list-types           print the types that would be watched, and exit\n"
    "      --cluster-id           print the uid of the kube-system namespace, and exit\n"
    "      --show-secrets         do not redact Secrets\n"
    "      --kubeconfig=FILE      how to reach the cluster (default: $KUBECONFIG,\n"
    "                             ~/.kube/config, or the pod that this runs in)\n"
    "      --context=NAME         the kubeconfig's context to use\n"
    "      --insecure-skip-tls-verify\n"
    "                             do not check the server's certificate\n"
    "      --page-size=N          objects in one page of a list (default: 500, then more\n"
    "                             where they are small)\n"
    "      --no-watch-list        take snapshots by paged lists, not by WatchList\n"
    "      --forever              go on trying when nothing can be reached or listed\n"
    "  -v, --verbose              say what happens\n" TOOL_OPTIONS_HELP;

enum {
	OPT_FIELD_SELECTOR = OPT_TOOL_FIRST_FREE,
	OPT_ONCE,
	OPT_LIST_TYPES,
	OPT_CLUSTER_ID,
	OPT_SHOW_SECRETS,
	OPT_KUBECONFIG,
	OPT_CONTEXT,
	OPT_INSECURE,
	OPT_PAGE_SIZE,
	OPT_NO_WATCH_LIST,
	OPT_FOREVER,
	OPT_RESUME,
	OPT_AUDIT_INTERVAL,
	OPT_RESYNC_FD,
};

static const struct option table[] = {
    {"namespace", required_argument, NULL, 'n'},
    {"all-namespaces", no_argument, NULL, 'A'},
    {"selector", required_argument, NULL, 'l'},
    {"field-selector", required_argument, NULL, OPT_FIELD_SELECTOR},
    {"once", no_argument, NULL, OPT_ONCE},
    {"list-types", no_argument, NULL, OPT_LIST_TYPES},
    {"cluster-id", no_argument, NULL, OPT_CLUSTER_ID},
    {"show-secrets", no_argument, NULL, OPT_SHOW_SECRETS},
    {"kubeconfig", required_argument, NULL, OPT_KUBECONFIG},
    {"context", required_argument, NULL, OPT_CONTEXT},
    {"insecure-skip-tls-verify", no_argument, NULL, OPT_INSECURE},
    {"page-size", required_argument, NULL, OPT_PAGE_SIZE},
    {"no-watch-list", no_argument, NULL, OPT_NO_WATCH_LIST},
    {"forever", no_argument, NULL, OPT_FOREVER},
    {"resume", required_argument, NULL, OPT_RESUME},
    {"audit-interval", required_argument, NULL, OPT_AUDIT_INTERVAL},
    {"resync-fd", required_argument, NULL, OPT_RESYNC_FD},
    {"verbose", no_argument, NULL, 'v'},
    TOOL_OPTIONS,
    {NULL, 0, NULL, 0},
};

static int
add_namespace(struct options *opt, const char *ns)
{
	if (strspn(ns, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(ns) || *ns == '\0') {
		log_error(&opt->tool.log, "--namespace: \"%s\" is no namespace's name", ns);
		return -1;
	}
	for (const char **seen = opt->namespaces; *seen != NULL; seen++)
		if (strcmp(*seen, ns) == 0)
			return 0;
	opt->namespaces[opt->n_namespaces++] = ns; /* argc of them fit, and a NULL */
	opt->namespaces[opt->n_namespaces] = NULL;
	return 0;
}

static int
page_size(struct options *opt, const char *arg)
{
	char *end;

	errno = 0;
	opt->page_size = strtol(arg, &end, 10);
	if (errno == 0 && end != arg && *end == '\0' && opt->page_size >= 1 &&
	    opt->page_size <= PAGE_SIZE_MAX)
		return 0;
	log_error(&opt->tool.log, "--page-size: \"%s\" is no number from 1 to %d", arg,
	    PAGE_SIZE_MAX);
	return -1;
}

/* "90s", "1h30m", or 0 for never. */
static int
audit_interval(struct options *opt, const char *arg)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
	const char *p = arg;
	int64_t ms = 0;

	while (*p >= '0' && *p <= '9' && ms <= INTERVAL_MAX_MS) {
		size_t n = strspn(p, "0123456789");
		int64_t number = strtoll(p, NULL, 10);
		size_t len = strcspn(p + n, "0123456789");
		size_t i = 0;

		while (i < sizeof(units) / sizeof(units[0]) &&
		       (strlen(units[i].unit) != len || memcmp(units[i].unit, p + n, len) != 0))
			i++;
		if (n > NUMBER_DIGITS || i == sizeof(units) / sizeof(units[0]))
			break;
		ms += number * units[i].ms;
		p += n + len;
	}
	if (strcmp(arg, "0") == 0 || (*arg != '\0' && *p == '\0' && ms <= INTERVAL_MAX_MS)) {
		opt->audit_ms = ms;
		return 0;
	}
	log_error(
	    &opt->tool.log, "--audit-interval: \"%s\" is no time such as 1h, 30m or 90s", arg);
	return -1;
}

static int
resync_fd(struct options *opt, const char *arg)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(arg, &end, 10);
	if (errno == 0 && end != arg && *end == '\0' && n >= 0 && n <= INT_MAX &&
	    fcntl((int)n, F_GETFD) != -1) {
		opt->resync_fd = (int)n;
		return 0;
	}
	log_error(&opt->tool.log, "--resync-fd: \"%s\" is no descriptor that is open", arg);
	return -1;
}

/* One of kwatch's own options. 1: it is none of them; -1: wrong, and said so. */
static int
own_option(struct options *opt, int c, const char *arg)
{
	switch (c) {
	case 'n':
		return add_namespace(opt, arg);
	case 'A':
		opt->n_namespaces = 0;
		opt->namespaces[0] = NULL;
		return 0;
	case 'l':
		opt->selector = *arg != '\0' ? arg : NULL;
		return 0;
	case OPT_FIELD_SELECTOR:
		opt->field_selector = *arg != '\0' ? arg : NULL;
		return 0;
	case OPT_ONCE:
	case OPT_LIST_TYPES:
	case OPT_CLUSTER_ID:
		opt->task = c == OPT_ONCE         ? TASK_ONCE
			    : c == OPT_LIST_TYPES ? TASK_LIST_TYPES
						  : TASK_CLUSTER_ID;
		return 0;
	case OPT_KUBECONFIG:
		opt->kubeconfig = arg;
		return 0;
	case OPT_CONTEXT:
		opt->context = arg;
		return 0;
	case OPT_RESUME:
		opt->resume = arg;
		return 0;
	case OPT_PAGE_SIZE:
		return page_size(opt, arg);
	case OPT_AUDIT_INTERVAL:
		return audit_interval(opt, arg);
	case OPT_RESYNC_FD:
		return resync_fd(opt, arg);
	default:
		return 1;
	}
}

static bool
own_flag(struct options *opt, int c)
{
	switch (c) {
	case OPT_SHOW_SECRETS:
		return opt->show_secrets = true;
	case OPT_INSECURE:
		return opt->insecure = true;
	case OPT_NO_WATCH_LIST:
		return opt->no_watch_list = true;
	case OPT_FOREVER:
		return opt->forever = true;
	case 'v':
		return opt->verbose = true;
	default:
		return false;
	}
}

/* Options that exclude each other. 0, or -1 with a message. */
static int
check(const struct options *opt)
{
	/* When a dump would have come to its end is no longer a matter of what exists. */
	if (opt->resume != NULL && opt->task != TASK_WATCH) {
		log_error(&opt->tool.log,
		    "--resume goes on watching: not with --once, --list-types, --cluster-id");
		return -1;
	}
	return 0;
}

int
options_parse(struct options *opt, int argc, char **argv, int *code)
{
	int c;
	int own;

	*opt = (struct options){.task = TASK_WATCH, .resync_fd = -1};
	tool_init(&opt->tool, "kwatch");
	*code = EXIT_FAILED;
	opt->namespaces = calloc((size_t)argc + 1, sizeof(*opt->namespaces));
	if (opt->namespaces == NULL) {
		log_error(&opt->tool.log, "out of memory");
		return -1;
	}
	*code = EXIT_USAGE;
	while ((c = getopt_long(argc, argv, "n:Al:v", table, NULL)) != -1) {
		if (own_flag(opt, c))
			continue;
		own = own_option(opt, c, optarg);
		if (own == -1)
			return -1;
		if (own == 0)
			continue;
		switch (tool_option(&opt->tool, c, optarg, help)) {
		case TOOL_OPTION_TAKEN:
			break;
		case TOOL_OPTION_EXIT:
			*code = EXIT_OK;
			return -1;
		case TOOL_OPTION_USAGE:
			return -1;
		}
	}
	opt->types = argv + optind;
	opt->n_types = (size_t)(argc - optind);
	return check(opt);
}

void
options_free(struct options *opt)
{
	free(opt->namespaces);
	opt->namespaces = NULL;
}
