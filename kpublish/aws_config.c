/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_config.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

const char *const aws_config_params[] = {
    "region", "endpoint", "disableSSL", "s3ForcePathStyle", NULL};

const char *
aws_config_variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

/* The domain of a region's services, by the partition that it belongs to. Source: botocore's
 * partitions.json. */
static const char *
domain(const char *region)
{
	static const struct {
		const char *prefix;
		const char *domain;
	} partitions[] = {
	    {"cn-", "amazonaws.com.cn"},
	    {"us-iso-", "c2s.ic.gov"},
	    {"us-isob-", "sc2s.sgov.gov"},
	    {"eu-isoe-", "cloud.adc-e.uk"},
	    {"us-isof-", "csp.hci.ic.gov"},
	    {"eu-isof-", "csp.hci.ic.gov"},
	    {"eusc-", "amazonaws.eu"},
	};

	for (size_t i = 0; i < sizeof(partitions) / sizeof(partitions[0]); i++)
		if (strncmp(region, partitions[i].prefix, strlen(partitions[i].prefix)) == 0)
			return partitions[i].domain;
	return "amazonaws.com";
}

/* What the environment says of a service's endpoint, or NULL. */
static const char *
configured(const char *service)
{
	char name[64];
	const char *url;
	int n = snprintf(name, sizeof(name), "AWS_ENDPOINT_URL_%s", service);

	for (int i = 0; i < n; i++)
		name[i] = (char)toupper((unsigned char)name[i]);
	url = aws_config_variable(name);
	return url != NULL ? url : aws_config_variable("AWS_ENDPOINT_URL");
}

/* Of what may be a host alone. plain: then without TLS. */
static char *
with_scheme(const char *endpoint, bool plain)
{
	if (strstr(endpoint, "://") != NULL)
		return strdup(endpoint);
	return text_printf("%s://%s", plain ? "http" : "https", endpoint);
}

static char *
amazons(const char *service, const char *region, bool plain)
{
	return text_printf(
	    "%s://%s.%s.%s", plain ? "http" : "https", service, region, domain(region));
}

char *
aws_config_endpoint(const char *service, const char *region)
{
	const char *url = configured(service);

	return url != NULL ? with_scheme(url, false) : amazons(service, region, false);
}

static bool
is_region(const char *text, size_t len)
{
	bool digit = false;
	size_t dashes = 0;

	if (len == 0 || len >= AWS_REGION_SIZE)
		return false;
	for (size_t i = 0; i < len; i++) {
		digit = text[i] >= '0' && text[i] <= '9';
		dashes += text[i] == '-';
		if (!digit && text[i] != '-' && (text[i] < 'a' || text[i] > 'z'))
			return false;
	}
	return digit && dashes >= 2;
}

/* sqs.REGION.…, with anything before it, or (old) REGION.queue.… */
void
aws_config_region_of_host(char region[AWS_REGION_SIZE], const char *host)
{
	const char *before = "";
	size_t before_len = 0;

	*region = '\0';
	while (*host != '\0') {
		size_t len = strcspn(host, ".:");
		bool sqs = (before_len == 3 && memcmp(before, "sqs", 3) == 0) ||
			   (before_len == 8 && memcmp(before, "sqs-fips", 8) == 0);

		if (sqs && is_region(host, len)) {
			snprintf(region, AWS_REGION_SIZE, "%.*s", (int)len, host);
			return;
		}
		if (len == 5 && memcmp(host, "queue", 5) == 0 &&
		    is_region(before, before_len)) {
			snprintf(region, AWS_REGION_SIZE, "%.*s", (int)before_len, before);
			return;
		}
		before = host;
		before_len = len;
		host += len;
		host += *host != '\0';
	}
}

/* As Go's strconv.ParseBool. 0, or -1: it is none. */
static int
parse_bool(const char *text, bool *value)
{
	static const char *const words[] = {
	    "0", "f", "F", "FALSE", "false", "False", "1", "t", "T", "TRUE", "true", "True"};
	size_t n = sizeof(words) / sizeof(words[0]);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(text, words[i]) == 0) {
			*value = i >= n / 2;
			return 0;
		}
	}
	return -1;
}

/* 0, or -1 with a message. */
static int
read_switch(const struct url *url, const char *name, bool *value, const struct log *log)
{
	const char *text = url_param(url, name);

	*value = false;
	if (text == NULL || parse_bool(text, value) == 0)
		return 0;
	log_error(log, "%s: %s is true or false, not \"%s\"", url->shown, name, text);
	return -1;
}

static int
find_region(
    struct aws_config *c, const struct url *url, const char *region, const struct log *log)
{
	const char *const places[] = {url_param(url, "region"), *region != '\0' ? region : NULL,
	    aws_config_variable("AWS_REGION"), aws_config_variable("AWS_DEFAULT_REGION")};
	const char *found = NULL;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && found == NULL; i++)
		found = places[i];
	if (found == NULL) {
		log_error(log, "%s: which region is that? ?region= or AWS_REGION says it",
		    url->shown);
		return -1;
	}
	if (*found == '\0' || strlen(found) >= AWS_REGION_SIZE ||
	    found[strspn(found, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0') {
		log_error(log, "%s: \"%s\" is no region", url->shown, found);
		return -1;
	}
	snprintf(c->region, sizeof(c->region), "%s", found);
	return 0;
}

/* http or https, a host, and nothing that a message should not show. */
static bool
is_endpoint(const char *text)
{
	CURLU *parts = curl_url();
	char *user = NULL;
	bool good = parts != NULL && curl_url_set(parts, CURLUPART_URL, text, 0) == CURLUE_OK;

	good = good && curl_url_get(parts, CURLUPART_USER, &user, 0) != CURLUE_OK &&
	       strchr(text, '?') == NULL && strchr(text, '#') == NULL &&
	       (strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0);
	curl_free(user);
	curl_url_cleanup(parts);
	return good;
}

static int
find_endpoint(struct aws_config *c, const struct url *url, const char *service,
    const char *host, bool plain, const struct log *log)
{
	const char *given = url_param(url, "endpoint");

	if (given == NULL)
		given = configured(service);
	if (given == NULL)
		given = host;
	c->endpoint =
	    given != NULL ? with_scheme(given, plain) : amazons(service, c->region, plain);
	if (c->endpoint == NULL) {
		log_error(log, "out of memory");
		return -1;
	}
	if (is_endpoint(c->endpoint))
		return 0;
	log_error(log, "%s: the endpoint is wanted as http://HOST:PORT or https://HOST:PORT",
	    url->shown);
	return -1;
}

int
aws_config_read(struct aws_config *c, const struct url *url, const char *service,
    const char *region, const char *host, const struct log *log)
{
	bool plain;
	bool ignored; /* S3 is not asked anything */

	*c = (struct aws_config){.ca_file = aws_config_variable("AWS_CA_BUNDLE")};
	if (read_switch(url, "s3ForcePathStyle", &ignored, log) == 0 &&
	    read_switch(url, "disableSSL", &plain, log) == 0 &&
	    find_region(c, url, region, log) == 0 &&
	    find_endpoint(c, url, service, host, plain, log) == 0)
		return 0;
	aws_config_free(c);
	return -1;
}

void
aws_config_free(struct aws_config *c)
{
	free(c->endpoint);
	c->endpoint = NULL;
}
