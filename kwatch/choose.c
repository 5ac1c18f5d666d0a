/* SPDX-License-Identifier: Apache-2.0 */
#include "choose.h"

static int
choose_named(const struct env *env, const struct types *types, bool *chosen, bool again)
{
	const struct options *opt = &env->opt;
	int result = 0;

	for (size_t i = 0; i < opt->n_types; i++) {
		switch (types_choose(types, opt->types[i], chosen)) {
		case TYPES_OK:
			continue;
		case TYPES_NONE:
			if (!again)
				log_error(
				    env->log, "the server has no type \"%s\"", opt->types[i]);
			break;
		case TYPES_NOT_WATCHABLE:
			if (!again)
				log_error(env->log, "%s: cannot be both listed and watched",
				    opt->types[i]);
			break;
		case TYPES_NO_MEMORY:
			log_error(env->log, "out of memory");
			break;
		}
		result = -1;
	}
	for (size_t i = 0; i < types->n; i++)
		chosen[i] = chosen[i] && types_watchable(&types->list[i]);
	return result;
}

int
choose_types(const struct env *env, const struct types *types, bool *chosen, bool again)
{
	if (env->opt.n_types > 0)
		return choose_named(env, types, chosen, again);
	for (size_t i = 0; i < types->n; i++)
		chosen[i] = types->list[i].preferred &&
			    (env->opt.n_namespaces == 0 || types->list[i].namespaced);
	return 0;
}
