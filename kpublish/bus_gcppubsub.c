/* SPDX-License-Identifier: Apache-2.0 */
/* gcppubsub://projects/P/topics/T by Pub/Sub's REST API, over HTTP/2.
 * https://cloud.google.com/pubsub/docs/reference/rest
 *
 * The order of a key, and why it is a lane: gcp_lanes.h. Beyond one region Pub/Sub keeps no
 * order, and its global endpoint takes the nearest region: ?endpoint= names one.
 * https://cloud.google.com/pubsub/docs/reference/service_apis_overview#service_endpoints */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "gcp_probe.h"
#include "gcp_sender.h"
#include "text.h"

enum {
	/* Each a stream of HTTP/2, as many a connection as requests.c has it. What a key's
	 * messages wait for is the way there and back: at 30 ms of it, 8,000 requests a second. */
	REQUESTS = 256,
	CONNECTIONS = 16,
	/* Without TLS there is HTTP/1.1 alone: a connection a request. */
	EMULATOR_CONNECTIONS = 16,
	WHY = 400,
};

struct gcppubsub {
	const struct bus_owner *owner;
	const char *endpoint; /* as given, or NULL */
	const char *emulator; /* the same; not where an endpoint is given */
	char *topic;
	char *base;
	char *file; /* of credentials; NULL: there is none */
	struct gcp_target target;
	struct requests *requests;
	struct gcp_token *token; /* NULL: none is needed */
	struct gcp_sender *sender;
	struct gcp_probe *probe;
};

static const char *const params[] = {"endpoint", NULL};

static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

static bool
all_in(const char *text, size_t len, const char *further)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && strchr(further, text[i]) == NULL)
			return false;
	return len > 0;
}

/* The names in projects/P/topics/T, or in P/T. Which characters they may have:
 * https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names */
static bool
split_topic(const char *rest, const char **project, size_t *len, const char **topic)
{
	static const char projects[] = "projects/";
	static const char topics[] = "/topics/";
	const char *between = strstr(rest, topics);

	if (strncmp(rest, projects, strlen(projects)) == 0 && between != NULL) {
		*project = rest + strlen(projects);
		*topic = between + strlen(topics);
	} else {
		between = strchr(rest, '/');
		if (between == NULL)
			return false;
		*project = rest;
		*topic = between + 1;
	}
	if (between < *project)
		return false;
	*len = (size_t)(between - *project);
	return all_in(*project, *len, "-.:") && all_in(*topic, strlen(*topic), "-_.~+%");
}

/* As it stands in the path of a request. NULL: out of memory. */
static char *
topic_path(const char *project, size_t len, const char *topic)
{
	struct buf path;

	buf_init(&path, TEXT_MAX);
	if (buf_printf(&path, "projects/%.*s/topics/", (int)len, project) == -1 ||
	    text_add_query(&path, topic) == -1 || buf_terminate(&path) == -1)
		buf_free(&path);
	return path.data;
}

static void
gcppubsub_close(void *bus)
{
	struct gcppubsub *b = bus;

	if (b == NULL)
		return;
	gcp_probe_close(b->probe);
	gcp_sender_close(b->sender);
	gcp_token_close(b->token);
	requests_close(b->requests);
	free(b->file);
	free(b->base);
	free(b->topic);
	free(b);
}

/* Is it HOST or HOST:PORT, or not there? */
static bool
is_host(const struct gcppubsub *b, const struct url *url, const char *name, const char *host)
{
	if (host == NULL || all_in(host, strlen(host), "-._:[]"))
		return true;
	log_error(b->owner->log, "%s: %s is not HOST or HOST:PORT: %s", url->shown, name, host);
	return false;
}

/* Everything but memory: what is wrong is wrong usage. */
static bool
check(struct gcppubsub *b, const struct url *url)
{
	const char *project;
	const char *topic;
	size_t len;

	if (!split_topic(url->rest, &project, &len, &topic)) {
		log_error(b->owner->log,
		    "%s: names no topic: gcppubsub://projects/PROJECT/topics/TOPIC or "
		    "gcppubsub://PROJECT/TOPIC",
		    url->shown);
		return false;
	}
	b->topic = topic_path(project, len, topic);
	b->endpoint = url_param(url, "endpoint");
	if (b->endpoint == NULL)
		b->emulator = variable("PUBSUB_EMULATOR_HOST");
	return is_host(b, url, "endpoint", b->endpoint) &&
	       is_host(b, url, "PUBSUB_EMULATOR_HOST", b->emulator);
}

/* The credentials, and where they are good. 0, or -1 with a message. */
static int
open_token(struct gcppubsub *b, const struct url *url, int *exit_code)
{
	struct gcp_credentials c;
	char why[WHY];

	if (gcp_credentials_find(&b->file) == -1) {
		log_error(b->owner->log, "out of memory");
		return -1;
	}
	if (gcp_credentials_load(&c, b->file, why, sizeof(why)) == -1) {
		log_error(b->owner->log, "%s: the credentials file %s %s", url->shown,
		    b->file != NULL ? b->file : "", why);
		*exit_code = EXIT_USAGE;
		return -1;
	}
	b->base = b->endpoint != NULL ? text_printf("https://%s", b->endpoint)
				      : text_printf("https://pubsub.%s", c.universe);
	b->token = gcp_token_open(b->file, &c, b->requests, b->owner);
	gcp_credentials_free(&c);
	return b->token != NULL ? 0 : -1;
}

/* 0, or -1 with a message. */
static int
open_all(struct gcppubsub *b, const struct url *url, int *exit_code)
{
	bool emulated = b->emulator != NULL;

	b->requests = requests_open(b->owner->log, variable("SSL_CERT_FILE"),
	    emulated ? EMULATOR_CONNECTIONS : CONNECTIONS);
	if (b->requests == NULL)
		return -1;
	if (emulated)
		b->base = text_printf("http://%s", b->emulator);
	else if (open_token(b, url, exit_code) == -1)
		return -1;
	if (b->base == NULL || b->topic == NULL) {
		log_error(b->owner->log, "out of memory");
		return -1;
	}
	b->target = (struct gcp_target){
	    .base = b->base,
	    .host = strstr(b->base, "://") + strlen("://"),
	    .topic = b->topic,
	    .max_requests = emulated ? EMULATOR_CONNECTIONS : REQUESTS,
	};
	b->sender = gcp_sender_open(&b->target, b->requests, b->token, b->owner);
	b->probe = gcp_probe_open(&b->target, b->requests, b->token, b->owner);
	return b->sender != NULL && b->probe != NULL ? 0 : -1;
}

static void *
gcppubsub_open(const struct url *url, const struct bus_owner *owner, int *exit_code)
{
	struct gcppubsub *b = calloc(1, sizeof(*b));

	*exit_code = EXIT_FAILED;
	if (b == NULL) {
		log_error(owner->log, "out of memory");
		return NULL;
	}
	b->owner = owner;
	if (!check(b, url))
		*exit_code = EXIT_USAGE;
	else if (open_all(b, url, exit_code) == 0)
		return b;
	gcppubsub_close(b);
	return NULL;
}

static enum bus_send
gcppubsub_send(void *bus, struct message *m)
{
	gcp_sender_add(((struct gcppubsub *)bus)->sender, m);
	return BUS_TAKEN;
}

static int
gcppubsub_flush(void *bus)
{
	struct gcppubsub *b = bus;

	if (b->token != NULL)
		gcp_token_work(b->token);
	gcp_sender_work(b->sender);
	return 0;
}

static int
gcppubsub_fd(void *bus)
{
	return requests_fd(((struct gcppubsub *)bus)->requests);
}

static int
sooner(int a, int b)
{
	return a == -1 || (b != -1 && b < a) ? b : a;
}

static int
gcppubsub_timeout_ms(void *bus)
{
	const struct gcppubsub *b = bus;
	int wait = sooner(requests_timeout_ms(b->requests), gcp_sender_timeout_ms(b->sender));

	return b->token != NULL ? sooner(wait, gcp_token_timeout_ms(b->token)) : wait;
}

static int
gcppubsub_work(void *bus)
{
	struct gcppubsub *b = bus;

	if (requests_run(b->requests) == -1)
		return -1;
	gcppubsub_flush(b);
	if (gcp_sender_unheard(b->sender))
		gcp_probe_work(b->probe);
	return 0;
}

const struct bus bus_gcppubsub = {
    .scheme = "gcppubsub",
    .form = "gcppubsub://PROJECT/TOPIC",
    .help = "Google Cloud Pub/Sub, with Application Default\n"
	    "Credentials; ?endpoint=HOST for that of a region",
    .params = params,
    .ordered = true,
    .open = gcppubsub_open,
    .send = gcppubsub_send,
    .flush = gcppubsub_flush,
    .fd = gcppubsub_fd,
    .timeout_ms = gcppubsub_timeout_ms,
    .work = gcppubsub_work,
    .close = gcppubsub_close,
};
