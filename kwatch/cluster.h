/* SPDX-License-Identifier: Apache-2.0 */
/* Which cluster, and as whom: out of a kubeconfig or of the pod that kwatch runs in, and how
 * that is told to libcurl. Credentials appear in no message and are never written anywhere.
 * Source: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
#ifndef CLUSTER_H
#define CLUSTER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "log.h"

/* One credential: as given, or in a file that is read again, since files rotate. */
struct secret {
	char *file; /* NULL: only data */
	char *data; /* NUL-terminated; NULL: absent */
	size_t len;
};

/* All owned; NULL or zero: absent. */
struct cluster {
	char *server; /* https://host:port, and a path where a proxy has one */
	char *base;   /* what a request's path is put behind; may name tls_name in place of the
			 host */
	char *via;    /* curl's CONNECT_TO, when base names tls_name */
	char *host;   /* the Host header then */
	char *tls_name; /* what the server's certificate is checked for */
	char *proxy;
	struct secret ca;
	struct secret cert;
	struct secret key;
	struct secret token;
	char *username;
	char *password;
	bool insecure;
	int64_t read_ms; /* when the files were last read, by clock_ms */
	bool stale_said; /* a failed re-reading has been reported */
	const struct log *log;
};

/* The configuration of the pod that kwatch runs in. 0; 1: this is no pod; -1 with a message.
 * Source: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
int cluster_from_pod(struct cluster *cluster);

/* Checks what the configuration says, and reads its files. 0, or -1 with a message. */
int cluster_prepare(struct cluster *cluster);
void cluster_free(struct cluster *cluster);

/* Reads the files again when they have not been read for a minute, or now. What cannot be read
 * is kept as it was, with a warning. Blocks for local files only. */
void cluster_refresh(struct cluster *cluster, bool now);

/* Sets a new easy handle up for the cluster: server, certificates, proxy, credentials. *headers
 * gets what has to be sent, and *via what the handle refers to; the caller frees both after the
 * handle. 0 or -1 (out of memory). */
int cluster_setup(const struct cluster *cluster, CURL *easy, struct curl_slist **headers,
    struct curl_slist **via);

#endif
