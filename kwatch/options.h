/* SPDX-License-Identifier: Apache-2.0 */
/* kwatch's command line. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tool.h"

enum options_task {
	TASK_WATCH,
	TASK_ONCE,       /* the snapshots alone */
	TASK_LIST_TYPES, /* a table for people */
	TASK_CLUSTER_ID, /* the uid of kube-system */
};

/* Strings are argv's. */
struct options {
	struct tool tool;
	enum options_task task;
	const char *kubeconfig;  /* NULL: as kubectl finds it */
	const char *context;     /* NULL: the current one */
	const char **namespaces; /* owned array */
	size_t n_namespaces;     /* 0: all */
	const char *selector;    /* NULL: none */
	const char *field_selector;
	char *const *types; /* as given; n_types 0: each that can be listed and watched */
	size_t n_types;
	const char *resume; /* NULL: none; "-": standard input */
	long page_size;     /* objects in one LIST; 0: 500 first, then by their size */
	int64_t audit_ms;   /* --audit-interval; 0: no audits */
	int resync_fd;      /* -1: none */
	bool insecure;
	bool no_watch_list;
	bool show_secrets;
	bool forever; /* nothing is final: for the container */
	bool verbose;
};

/* 0; or -1: the tool ends with *code, and has said why. options_free in either case. */
int options_parse(struct options *opt, int argc, char **argv, int *code);
void options_free(struct options *opt);

#endif
