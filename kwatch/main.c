/* SPDX-License-Identifier: Apache-2.0 */
/* kwatch: prints the objects of a Kubernetes cluster and every change of them as watch events.
 *
 * Standard input is not read (but for --resume=-). Standard output: kollect(5)'s watch events, a line each.
 * Exit: 0 stopped by a signal, or all asked for is written (--once, --list-types,
 * --cluster-id); 1 failed; 2 wrong usage. */
#include <curl/curl.h>
#include <unistd.h>

#include "env.h"
#include "kubeconfig.h"
#include "run.h"

static int
connect_and_run(struct env *env)
{
	const struct options *opt = &env->opt;
	int code = EXIT_FAILED;

	env->cluster.log = env->log;
	env->stop_fd = tool_stop_fd(&opt->tool, 0);
	if (env->stop_fd == -1)
		return EXIT_FAILED;
	if (kubeconfig_find(&env->cluster, opt->kubeconfig, opt->context) == -1)
		goto out;
	env->cluster.insecure |= opt->insecure;
	if (cluster_prepare(&env->cluster) == -1)
		goto out;
	env->http = http_open(&env->cluster, env->stop_fd, STDOUT_FILENO, env->log);
	if (env->http == NULL)
		goto out;
	code = opt->task == TASK_CLUSTER_ID ? run_cluster_id(env) : run(env);
out:
	http_close(env->http);
	cluster_free(&env->cluster);
	close(env->stop_fd);
	return code;
}

/* Reads what the command line names. An exit code. */
static int
prepare(struct env *env)
{
	env->log = &env->opt.tool.log;
	if (env->opt.resume == NULL)
		return EXIT_OK;
	return positions_read(&env->positions, env->opt.resume, env->log);
}

int
main(int argc, char **argv)
{
	struct env env = {.stop_fd = -1};
	int code;

	if (options_parse(&env.opt, argc, argv, &code) == 0 &&
	    (code = prepare(&env)) == EXIT_OK) {
		curl_global_init(CURL_GLOBAL_DEFAULT);
		counts_init(&env.counts, env.log, env.opt.tool.metrics_path);
		sink_init(&env.sink, STDOUT_FILENO, env.opt.show_secrets, &env.counts, env.log);
		code = connect_and_run(&env);
		sink_free(&env.sink);
		curl_global_cleanup();
	}
	positions_free(&env.positions);
	options_free(&env.opt);
	return code;
}
