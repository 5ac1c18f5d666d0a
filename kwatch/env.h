/* SPDX-License-Identifier: Apache-2.0 */
/* What all parts of a running kwatch share; main owns it. */
#ifndef ENV_H
#define ENV_H

#include "cluster.h"
#include "counts.h"
#include "http.h"
#include "options.h"
#include "positions.h"
#include "sink.h"

struct env {
	struct options opt;
	const struct log *log;
	struct cluster cluster;
	struct counts counts;
	struct sink sink;
	struct positions positions; /* of --resume */
	struct http *http;
	int stop_fd;
};

#endif
