/* SPDX-License-Identifier: Apache-2.0 */
/* From where a watch of each stream may go on and miss nothing. A stream within a snapshot is none
 * of them, even when it had a position before: what the part of the snapshot that was taken has
 * shown is newer than that. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"

static int
print(void *arg, struct bytes key, struct bytes value)
{
	struct kdiff *k = arg;
	struct stream_row row;

	(void)key;
	if (stream_row_read(value, &row) == -1)
		return store_damaged(k->store, "the row of a stream");
	if (stream_row_resumable(&row))
		printf("%.*s\t%.*s\n", (int)row.path.len, row.path.p, (int)row.version.len,
		    row.version.p);
	return 0;
}

int
positions(struct kdiff *k)
{
	struct store_options options = {.dir = k->state,
	    .read_only = true,
	    .may_be_new = true,
	    .cluster_id = k->cluster_id};
	bool refused;

	/* Before the first run nothing is known of any stream, and that is no failure. */
	if (!store_exists(k->state))
		return EXIT_OK;
	k->store = store_open(&k->tool.log, &options, &refused);
	if (k->store == NULL)
		return refused ? EXIT_USAGE : EXIT_FAILED;
	if (store_is_new(k->store))
		return EXIT_OK;
	if (store_row_each(k->store, STORE_STREAMS, print, k) == -1)
		return EXIT_FAILED;
	if (fflush(stdout) == EOF) {
		log_error(&k->tool.log, "cannot write the positions: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return EXIT_OK;
}
