/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

int
commands_open(struct kdiff *k)
{
	struct store_options options = {
	    .dir = k->state, .read_only = true, .cluster_id = k->cluster_id};
	bool refused;

	k->store = store_open(&k->tool.log, &options, &refused);
	if (k->store == NULL)
		return refused ? EXIT_USAGE : EXIT_FAILED;
	k->kinds = kinds_open(&k->tool.log, k->store);
	return k->kinds == NULL ? EXIT_FAILED : -1;
}
