/* SPDX-License-Identifier: Apache-2.0 */
#include "azuresb_config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	TLS_PORT = 5671,
	PLAIN_PORT = 5672,
	REACH_MS = 15000,
};

/* Cuts white space off both ends. */
static char *
trim(char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

/* 0: it is none. */
static uint16_t
port_number(const char *text)
{
	unsigned long n = 0;

	if (*text != '\0' && strlen(text) <= 5 && text[strspn(text, "0123456789")] == '\0')
		n = strtoul(text, NULL, 10);
	return n <= UINT16_MAX ? (uint16_t)n : 0;
}

/* sb://HOST[:PORT][/], cut up in place; an IPv6 address stands in brackets. */
static int
parse_endpoint(struct azuresb_config *c, char *text)
{
	char *host = strstr(text, "://");
	char *colon;

	if (host == NULL)
		return -1;
	*host = '\0';
	if (strcasecmp(text, "sb") != 0 && strcasecmp(text, "amqps") != 0)
		return -1;
	host += strlen("://");
	host[strcspn(host, "/")] = '\0';
	colon = strrchr(host, ':');
	if (*host == '[') {
		char *bracket = strchr(++host, ']');

		if (bracket == NULL)
			return -1;
		*bracket = '\0';
		colon = bracket[1] == ':' ? bracket + 1 : NULL;
	}
	if (colon != NULL) {
		*colon = '\0';
		c->peer.port = port_number(colon + 1);
		if (c->peer.port == 0)
			return -1;
	}
	c->peer.host = c->peer.name = host;
	return *host != '\0' ? 0 : -1;
}

/* What is empty is not there. */
static char *
if_any(char *value)
{
	return *value != '\0' ? value : NULL;
}

static int
take(struct azuresb_config *c, const char *name, char *value, const char **why)
{
	if (strcasecmp(name, "Endpoint") == 0) {
		*why = "its Endpoint is wanted as sb://HOST/ or sb://HOST:PORT/";
		return parse_endpoint(c, value);
	}
	if (strcasecmp(name, "SharedAccessKeyName") == 0) {
		c->key_name = if_any(value);
	} else if (strcasecmp(name, "SharedAccessKey") == 0) {
		c->key = if_any(value);
	} else if (strcasecmp(name, "SharedAccessSignature") == 0) {
		c->signature = if_any(value);
	} else if (strcasecmp(name, "EntityPath") == 0) {
		c->entity = if_any(value);
	} else if (strcasecmp(name, "UseDevelopmentEmulator") == 0) {
		*why = "its UseDevelopmentEmulator is neither true nor false";
		if (strcasecmp(value, "true") != 0 && strcasecmp(value, "false") != 0)
			return -1;
		c->peer.tls = strcasecmp(value, "false") == 0;
	}
	return 0;
}

static int
check(struct azuresb_config *c, const char **why)
{
	*why = "it has no Endpoint";
	if (c->peer.host == NULL)
		return -1;
	*why = "it has both a SharedAccessKey and a SharedAccessSignature";
	if (c->key != NULL && c->signature != NULL)
		return -1;
	*why = "it has neither SharedAccessKeyName and SharedAccessKey nor a "
	       "SharedAccessSignature";
	if (c->signature == NULL && (c->key == NULL || c->key_name == NULL))
		return -1;
	*why = "its SharedAccessSignature does not begin with \"SharedAccessSignature sr=\"";
	if (c->signature != NULL && strncmp(c->signature, "SharedAccessSignature sr=", 25) != 0)
		return -1;
	if (c->peer.port == 0)
		c->peer.port = c->peer.tls ? TLS_PORT : PLAIN_PORT;
	return 0;
}

int
azuresb_config_parse(struct azuresb_config *c, const char *text, const char **why)
{
	char *save = NULL;

	*c = (struct azuresb_config){
	    .memory = strdup(text),
	    .peer = {.timeout_ms = REACH_MS, .tls = true, .verify = true},
	};
	*why = "out of memory";
	if (c->memory == NULL)
		return -1;
	for (char *p = strtok_r(c->memory, ";", &save); p != NULL;
	     p = strtok_r(NULL, ";", &save)) {
		char *value = strchr(p, '=');

		if (*trim(p) == '\0')
			continue;
		*why = "a part of it is not NAME=VALUE";
		if (value == NULL)
			return -1;
		*value = '\0';
		if (take(c, trim(p), trim(value + 1), why) == -1)
			return -1;
	}
	return check(c, why);
}

void
azuresb_config_free(struct azuresb_config *c)
{
	if (c->key != NULL)
		explicit_bzero(c->key, strlen(c->key));
	if (c->signature != NULL)
		explicit_bzero(c->signature, strlen(c->signature));
	free(c->memory);
	*c = (struct azuresb_config){.memory = NULL};
}
