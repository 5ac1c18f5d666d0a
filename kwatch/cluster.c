/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "file.h"
#include "text.h"

enum {
	REFRESH_MS = 60000, /* how old a file's contents may be */
	SECRET_MAX = 1024 * 1024,
	CONNECT_TIMEOUT_S = 8, /* three tries of TCP; less than STREAM_SILENCE_MS */
	/* A half-open connection is noticed after 30 s of silence and three unanswered probes;
	 * without these it takes Linux 13 to 30 minutes. */
	KEEPALIVE_IDLE_S = 30,
	KEEPALIVE_INTERVAL_S = 5,
	KEEPALIVE_COUNT = 3,
	USER_TIMEOUT_MS = 45000,
};

static const char account_dir[] = "/var/run/secrets/kubernetes.io/serviceaccount";

static int
secret_read(struct secret *secret)
{
	size_t len;
	char *data;

	if (secret->file == NULL)
		return 0;
	data = file_read(secret->file, SECRET_MAX, &len);
	if (data == NULL)
		return -1;
	if (len == 0) {
		free(data);
		errno = ENODATA;
		return -1;
	}
	text_set(&secret->data, data);
	secret->len = len;
	return 0;
}

static void
secret_free(struct secret *secret)
{
	free(secret->file);
	if (secret->data != NULL)
		explicit_bzero(secret->data, secret->len);
	free(secret->data);
}

/* A token goes into a header, so nothing that could begin another may be in it. */
static void
trim_token(struct secret *token)
{
	if (token->data == NULL)
		return;
	token->len = strcspn(token->data, " \t\r\n");
	token->data[token->len] = '\0';
}

static int
read_secrets(struct cluster *cluster, bool first)
{
	struct secret *all[] = {&cluster->ca, &cluster->cert, &cluster->key, &cluster->token};
	int result = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (secret_read(all[i]) == 0)
			continue;
		result = -1;
		if (first) {
			log_error(cluster->log, "%s: %s", all[i]->file, strerror(errno));
			break;
		}
		if (!cluster->stale_said)
			log_warning(cluster->log, "%s: %s: going on with what was read before",
			    all[i]->file, strerror(errno));
	}
	cluster->stale_said = result == -1;
	trim_token(&cluster->token);
	cluster->read_ms = clock_ms();
	return result;
}

/* For a tls-server-name, requests go to that name, which curl is told to find at the server's
 * address: the only way by which libcurl lets the two differ. */
static int
split_server(struct cluster *cluster)
{
	const char *host = strstr(cluster->server, "://") + 3;
	size_t n = strcspn(host, "/");
	const char *colon = memrchr(host, ':', n);
	bool port = colon != NULL && memchr(colon, ']', n - (size_t)(colon - host)) == NULL;
	size_t name = port ? (size_t)(colon - host) : n;

	if (cluster->tls_name == NULL)
		return (cluster->base = strdup(cluster->server)) != NULL ? 0 : -1;
	cluster->base = text_printf("%.*s%s%s", (int)(host - cluster->server), cluster->server,
	    cluster->tls_name, host + name);
	cluster->host = text_printf("Host: %.*s", (int)n, host);
	cluster->via =
	    port ? text_printf("::%.*s", (int)n, host) : text_printf("::%.*s:", (int)n, host);
	return cluster->base != NULL && cluster->host != NULL && cluster->via != NULL ? 0 : -1;
}

int
cluster_prepare(struct cluster *cluster)
{
	bool tls = cluster->ca.file != NULL || cluster->ca.data != NULL ||
		   cluster->cert.file != NULL || cluster->cert.data != NULL ||
		   cluster->insecure;
	size_t n = strlen(cluster->server);

	while (n > 0 && cluster->server[n - 1] == '/')
		cluster->server[--n] = '\0';
	if (strstr(cluster->server, "://") == NULL)
		text_set(&cluster->server,
		    text_printf("%s://%s", tls ? "https" : "http", cluster->server));
	if (cluster->server == NULL || (strncmp(cluster->server, "https://", 8) != 0 &&
					   strncmp(cluster->server, "http://", 7) != 0)) {
		log_error(cluster->log, "server %s: neither https:// nor http://",
		    cluster->server != NULL ? cluster->server : "");
		return -1;
	}
	if (read_secrets(cluster, true) == -1)
		return -1;
	if ((cluster->cert.data == NULL) != (cluster->key.data == NULL)) {
		log_error(cluster->log, "%s: the client %s is missing", cluster->server,
		    cluster->key.data == NULL ? "key" : "certificate");
		return -1;
	}
	if (split_server(cluster) == -1) {
		log_error(cluster->log, "out of memory");
		return -1;
	}
	return 0;
}

int
cluster_from_pod(struct cluster *cluster)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	const char *dir = getenv("KWATCH_SERVICEACCOUNT_DIR"); /* for tests */

	if (host == NULL || *host == '\0' || port == NULL || *port == '\0')
		return 1;
	if (dir == NULL)
		dir = account_dir;
	cluster->server = strchr(host, ':') != NULL ? text_printf("https://[%s]:%s", host, port)
						    : text_printf("https://%s:%s", host, port);
	cluster->token.file = text_printf("%s/token", dir);
	cluster->ca.file = text_printf("%s/ca.crt", dir);
	if (cluster->server != NULL && cluster->token.file != NULL && cluster->ca.file != NULL)
		return 0;
	log_error(cluster->log, "out of memory");
	return -1;
}

void
cluster_free(struct cluster *cluster)
{
	free(cluster->server);
	free(cluster->base);
	free(cluster->via);
	free(cluster->host);
	free(cluster->tls_name);
	free(cluster->proxy);
	free(cluster->username);
	free(cluster->password);
	secret_free(&cluster->ca);
	secret_free(&cluster->cert);
	secret_free(&cluster->key);
	secret_free(&cluster->token);
}

void
cluster_refresh(struct cluster *cluster, bool now)
{
	if (now || clock_ms() - cluster->read_ms >= REFRESH_MS)
		read_secrets(cluster, false);
}

static int
tune_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	const int idle = KEEPALIVE_IDLE_S;
	const int interval = KEEPALIVE_INTERVAL_S;
	const int count = KEEPALIVE_COUNT;
	const int on = 1;
	const unsigned timeout = USER_TIMEOUT_MS;

	(void)arg;
	(void)purpose;
	/* Wishes: what the system cannot do is left to the deadlines of the streams. */
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
	return CURL_SOCKOPT_OK;
}

static bool
set_blob(CURL *easy, CURLoption option, const struct secret *secret)
{
	struct curl_blob blob = {
	    .data = secret->data, .len = secret->len, .flags = CURL_BLOB_COPY};

	return secret->data == NULL || curl_easy_setopt(easy, option, &blob) == CURLE_OK;
}

static bool
set_tls(const struct cluster *cluster, CURL *easy)
{
	if (cluster->insecure) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	} else if (cluster->ca.data != NULL) {
		/* The cluster's own authority, and no other one that the system trusts. */
		curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
		if (!set_blob(easy, CURLOPT_CAINFO_BLOB, &cluster->ca))
			return false;
	}
	return set_blob(easy, CURLOPT_SSLCERT_BLOB, &cluster->cert) &&
	       set_blob(easy, CURLOPT_SSLKEY_BLOB, &cluster->key);
}

static bool
add_header(struct curl_slist **headers, const char *line)
{
	struct curl_slist *longer = line != NULL ? curl_slist_append(*headers, line) : NULL;

	if (longer != NULL)
		*headers = longer;
	return longer != NULL;
}

int
cluster_setup(const struct cluster *cluster, CURL *easy, struct curl_slist **headers,
    struct curl_slist **via)
{
	bool good = set_tls(cluster, easy);

	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, tune_socket);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	if (cluster->proxy != NULL)
		good &= curl_easy_setopt(easy, CURLOPT_PROXY, cluster->proxy) == CURLE_OK;
	if (cluster->via != NULL) {
		good &= add_header(headers, cluster->host) && add_header(via, cluster->via) &&
			curl_easy_setopt(easy, CURLOPT_CONNECT_TO, *via) == CURLE_OK;
	}
	if (cluster->token.data != NULL) {
		char *line = text_printf("Authorization: Bearer %s", cluster->token.data);

		good &= add_header(headers, line);
		if (line != NULL)
			explicit_bzero(line, strlen(line));
		free(line);
	} else if (cluster->username != NULL) {
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		good &= curl_easy_setopt(easy, CURLOPT_USERNAME, cluster->username) == CURLE_OK;
		good &= curl_easy_setopt(easy, CURLOPT_PASSWORD,
			    cluster->password != NULL ? cluster->password : "") == CURLE_OK;
	}
	return good ? 0 : -1;
}
