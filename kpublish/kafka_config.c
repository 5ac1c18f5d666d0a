/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

enum { FILE_MAX = 1024 * 1024, WHERE_MAX = 512, FIXED_VALUE = 64 };

struct setting {
	const char *name;
	const char *value;
};

static const struct setting fixed[] = {
    {"acks", "all"},
    {"enable.idempotence", "true"},
    /* A message that fails for good makes the producer fail, rather than those behind it pass.
     */
    {"enable.gapless.guarantee", "true"},
    {"message.timeout.ms", "0"}, /* never */
    /* The window is the limit, not librdkafka's queue. */
    {"queue.buffering.max.messages", "0"},
    {"queue.buffering.max.kbytes", "2097151"},
    /* Left to the broker, which knows: what it refuses comes back. */
    {"message.max.bytes", "104857600"},
    /* Nothing begins or commits a transaction. */
    {"transactional.id", ""},
};

/* Ours too, but they may be set. */
static const struct setting defaults[] = {
    {"client.id", "kpublish"},
    {"partitioner", "murmur2_random"}, /* as Java's: a key goes where other producers put it */
    {"linger.ms", "5"},
    {"socket.keepalive.enable", "true"},
    {"reconnect.backoff.max.ms", "5000"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct config {
	rd_kafka_conf_t *conf;
	const struct log *log;
	const char *shown;                            /* the URL */
	char fixed_values[COUNT(fixed)][FIXED_VALUE]; /* as librdkafka writes them */
};

static void
get(const rd_kafka_conf_t *conf, const char *name, char *value, size_t size)
{
	size_t len = size;

	if (rd_kafka_conf_get(conf, name, value, &len) != RD_KAFKA_CONF_OK || len > size)
		*value = '\0';
}

/* where: what sets it, for messages. 0, or -1 with a message. */
static int
set(const struct config *c, const char *where, const char *name, const char *value)
{
	char why[512];

	switch (rd_kafka_conf_set(c->conf, name, value, why, sizeof(why))) {
	case RD_KAFKA_CONF_OK:
		return 0;
	case RD_KAFKA_CONF_UNKNOWN:
		log_error(c->log, "%s: librdkafka %s has no property \"%s\"", where,
		    rd_kafka_version_str(), name);
		return -1;
	default:
		if (strstr(why, "not supported in this build") != NULL)
			log_error(c->log,
			    "%s: this machine's librdkafka %s was built without what \"%s\" "
			    "needs",
			    where, rd_kafka_version_str(), name);
		else /* why may quote the value */
			log_error(c->log, "%s: the value of \"%s\" is not one that it can have",
			    where, name);
		return -1;
	}
}

/* The same for what is not ours. A fixed one may be set to what it is; that others have
 * further names is found by looking at what has become of it. */
static int
set_foreign(const struct config *c, const char *where, const char *name, const char *value)
{
	char now[FIXED_VALUE];

	if (set(c, where, name, value) == -1)
		return -1;
	for (size_t i = 0; i < COUNT(fixed); i++) {
		get(c->conf, fixed[i].name, now, sizeof(now));
		if (strcmp(now, c->fixed_values[i]) == 0)
			continue;
		log_error(c->log,
		    "%s: \"%s\" cannot be set: kpublish has %s=%s, so that nothing is lost",
		    where, name, fixed[i].name, fixed[i].value);
		return -1;
	}
	return 0;
}

static int
set_ours(struct config *c)
{
	for (size_t i = 0; i < COUNT(defaults); i++)
		if (set(c, c->shown, defaults[i].name, defaults[i].value) == -1)
			return -1;
	for (size_t i = 0; i < COUNT(fixed); i++) {
		if (*fixed[i].value != '\0' &&
		    set(c, c->shown, fixed[i].name, fixed[i].value) == -1)
			return -1;
		get(c->conf, fixed[i].name, c->fixed_values[i], FIXED_VALUE);
	}
	return 0;
}

static char *
trimmed(char *text)
{
	static const char blank[] = " \t\r\f\v";
	size_t len;

	text += strspn(text, blank);
	len = strlen(text);
	while (len > 0 && strchr(blank, text[len - 1]) != NULL)
		len--;
	text[len] = '\0';
	return text;
}

/* A line of the file; changes it. */
static int
set_line(const struct config *c, const char *where, char *line)
{
	char *name = trimmed(line);
	char *equals = strchr(name, '=');

	if (*name == '\0' || *name == '#')
		return 0;
	if (equals == NULL || equals == name) {
		log_error(c->log, "%s: a property is wanted as NAME=VALUE", where);
		return -1;
	}
	*equals = '\0';
	return set_foreign(c, where, trimmed(name), trimmed(equals + 1));
}

static int
set_file(const struct config *c)
{
	const char *path = getenv("KAFKA_CONFIG");
	char where[WHERE_MAX];
	unsigned number = 0;
	char *text;
	char *rest;
	int result = 0;
	size_t len;

	if (path == NULL || *path == '\0')
		return 0;
	text = file_read(path, FILE_MAX, &len);
	if (text == NULL) {
		log_error(c->log, "%s: KAFKA_CONFIG: %s: %s", c->shown, path, strerror(errno));
		return -1;
	}
	rest = text;
	while (rest != NULL && result == 0) {
		char *line = strsep(&rest, "\n");

		snprintf(where, sizeof(where), "%s: line %u", path, ++number);
		result = set_line(c, where, line);
	}
	free(text);
	return result;
}

static int
set_brokers(const struct config *c)
{
	const char *brokers = getenv("KAFKA_BROKERS");
	size_t len;

	if (brokers != NULL && *brokers != '\0')
		return set(c, "KAFKA_BROKERS", "bootstrap.servers", brokers);
	if (rd_kafka_conf_get(c->conf, "bootstrap.servers", NULL, &len) == RD_KAFKA_CONF_OK &&
	    len > 1)
		return 0;
	log_error(c->log,
	    "%s: set KAFKA_BROKERS to HOST:PORT, commas between several, or bootstrap.servers "
	    "in KAFKA_CONFIG",
	    c->shown);
	return -1;
}

static int
set_params(const struct config *c, const struct url *url)
{
	for (size_t i = 0; i < url->n_params; i++)
		if (set_foreign(c, c->shown, url->params[i].name, url->params[i].value) == -1)
			return -1;
	return 0;
}

static bool
is(const struct config *c, const char *name, const char *value)
{
	char now[FIXED_VALUE];

	get(c->conf, name, now, sizeof(now));
	return strcasecmp(now, value) == 0;
}

/* librdkafka waits for ever for a token that nobody brings. */
static int
check_tokens(const struct config *c)
{
	bool sasl = is(c, "security.protocol", "sasl_ssl") ||
		    is(c, "security.protocol", "sasl_plaintext");

	if (!sasl || !is(c, "sasl.mechanisms", "OAUTHBEARER") ||
	    is(c, "sasl.oauthbearer.method", "oidc") ||
	    is(c, "enable.sasl.oauthbearer.unsecure.jwt", "true"))
		return 0;
	log_error(c->log, "%s: OAUTHBEARER needs sasl.oauthbearer.method=oidc", c->shown);
	return -1;
}

rd_kafka_conf_t *
kafka_config_make(const struct url *url, const struct log *log)
{
	struct config c = {.conf = rd_kafka_conf_new(), .log = log, .shown = url->shown};

	if (set_ours(&c) == 0 && set_file(&c) == 0 && set_brokers(&c) == 0 &&
	    set_params(&c, url) == 0 && check_tokens(&c) == 0)
		return c.conf;
	rd_kafka_conf_destroy(c.conf);
	return NULL;
}
