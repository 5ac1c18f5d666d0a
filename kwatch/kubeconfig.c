/* SPDX-License-Identifier: Apache-2.0 */
#include "kubeconfig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base64.h"
#include "kubefile.h"
#include "text.h"

/* The member as memory of the caller's; NULL if it is absent. *bad is set when out of memory.
 */
static char *
dup_member(struct kubeentry map, const char *key, bool *bad)
{
	const char *text = kubefile_text(map, key);
	char *copy = text != NULL ? strdup(text) : NULL;

	*bad |= text != NULL && copy == NULL;
	return copy;
}

/* A path in a file is relative to that file's folder. */
static char *
dup_path(struct kubeentry map, const char *key, bool *bad)
{
	const char *path = kubefile_text(map, key);
	const char *slash = strrchr(map.file->path, '/');
	char *copy;

	if (path == NULL)
		return NULL;
	copy =
	    *path == '/' || slash == NULL
		? strdup(path)
		: text_printf("%.*s/%s", (int)(slash - map.file->path), map.file->path, path);
	*bad |= copy == NULL;
	return copy;
}

/* FOO-data, which counts when it is there, or the file FOO. */
static int
read_secret(struct kubeentry map, const char *key, struct secret *secret, const struct log *log)
{
	char name[64];
	const char *data;
	bool bad = false;

	snprintf(name, sizeof(name), "%s-data", key);
	data = kubefile_text(map, name);
	if (data == NULL) {
		secret->file = dup_path(map, key, &bad);
		return bad ? -1 : 0;
	}
	secret->data = base64_decode(data, &secret->len);
	if (secret->data == NULL)
		log_error(log, "%s: %s is not base64", map.file->path, name);
	return secret->data == NULL ? -1 : 0;
}

static int
read_cluster(struct cluster *cluster, struct kubeentry map)
{
	const char *insecure = kubefile_text(map, "insecure-skip-tls-verify");
	bool bad = false;

	cluster->server = dup_member(map, "server", &bad);
	cluster->tls_name = dup_member(map, "tls-server-name", &bad);
	cluster->proxy = dup_member(map, "proxy-url", &bad);
	cluster->insecure = insecure != NULL && strcmp(insecure, "true") == 0;
	if (!bad && cluster->server == NULL) {
		log_error(
		    cluster->log, "%s: the context's cluster has no server", map.file->path);
		return -1;
	}
	return bad ? -1 : read_secret(map, "certificate-authority", &cluster->ca, cluster->log);
}

/* What would change who kwatch is, and it cannot do, must not be passed over. */
static int
refuse_unknown(struct kubeentry map, const struct log *log)
{
	static const char *const keys[] = {
	    "exec", "auth-provider", "as", "as-uid", "as-groups"};
	static const char *const what[] = {"an exec credential plugin", "an auth provider",
	    "impersonation", "impersonation", "impersonation"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		yaml_node_t *node = kubefile_member(map, keys[i]);

		if (node == NULL ||
		    (node->type == YAML_SCALAR_NODE && kubefile_text(map, keys[i]) == NULL))
			continue;
		log_error(log,
		    "%s: the context's user needs %s (\"%s\"), which this version "
		    "does not support: use a token or a client certificate",
		    map.file->path, what[i], keys[i]);
		return -1;
	}
	return 0;
}

static int
read_user(struct cluster *cluster, struct kubeentry map)
{
	bool bad = false;

	if (refuse_unknown(map, cluster->log) == -1 ||
	    read_secret(map, "client-certificate", &cluster->cert, cluster->log) == -1 ||
	    read_secret(map, "client-key", &cluster->key, cluster->log) == -1)
		return -1;
	cluster->token.file = dup_path(map, "tokenFile", &bad);
	cluster->token.data = dup_member(map, "token", &bad);
	cluster->username = dup_member(map, "username", &bad);
	cluster->password = dup_member(map, "password", &bad);
	return bad ? -1 : 0;
}

/* The named member of the context, found in its list; *entry.node stays NULL if the context
 * does not name one. */
static int
follow(struct kubefiles *files, struct kubeentry context, const char *name, const char *key,
    const char *list, struct kubeentry *entry)
{
	const char *target = kubefile_text(context, key);

	if (target == NULL)
		return 0;
	*entry = kubefile_find(files, list, target, key);
	if (entry->node != NULL)
		return 0;
	log_error(files->log, "%s: context \"%s\": there is no %s \"%s\"", context.file->path,
	    name, key, target);
	return -1;
}

static int
read_context(struct cluster *cluster, struct kubefiles *files, const char *name)
{
	struct kubeentry context;
	struct kubeentry which = {NULL, NULL};
	struct kubeentry user = {NULL, NULL};

	for (size_t i = 0; i < files->n && name == NULL; i++)
		name = kubefile_text((struct kubeentry){&files->file[i], files->file[i].root},
		    "current-context");
	if (name == NULL) {
		log_error(files->log, "%s: no current-context is set: use --context",
		    files->file[0].path);
		return -1;
	}
	context = kubefile_find(files, "contexts", name, "context");
	if (context.node == NULL) {
		log_error(
		    files->log, "%s: there is no context \"%s\"", files->file[0].path, name);
		return -1;
	}
	if (follow(files, context, name, "cluster", "clusters", &which) == -1 ||
	    follow(files, context, name, "user", "users", &user) == -1)
		return -1;
	if (which.node == NULL) {
		log_error(files->log, "%s: context \"%s\" names no cluster", context.file->path,
		    name);
		return -1;
	}
	if (read_cluster(cluster, which) == -1)
		return -1;
	return user.node != NULL ? read_user(cluster, user) : 0;
}

int
kubeconfig_load(struct cluster *cluster, const char *paths, bool strict, const char *context)
{
	struct kubefiles *files = calloc(1, sizeof(*files));
	int result = -1;

	if (files == NULL) {
		log_error(cluster->log, "out of memory");
		return -1;
	}
	files->log = cluster->log;
	if (kubefile_open(files, paths, strict) == 0)
		result = read_context(cluster, files, context);
	kubefile_close(files);
	free(files);
	return result;
}

int
kubeconfig_find(struct cluster *cluster, const char *explicit, const char *context)
{
	const char *home = getenv("HOME");
	const char *env = getenv("KUBECONFIG");
	char *path;
	int result;

	if (explicit != NULL)
		return kubeconfig_load(cluster, explicit, true, context);
	if (env != NULL && *env != '\0')
		return kubeconfig_load(cluster, env, false, context);
	path = text_printf("%s/.kube/config", home != NULL ? home : "");
	if (path != NULL && access(path, F_OK) == 0) {
		result = kubeconfig_load(cluster, path, true, context);
	} else {
		result = cluster_from_pod(cluster);
		if (result == 1) {
			log_error(cluster->log,
			    "no cluster: no --kubeconfig, no KUBECONFIG, no %s, "
			    "and this is no pod",
			    path != NULL ? path : "~/.kube/config");
			result = -1;
		}
	}
	free(path);
	return result;
}
