/* SPDX-License-Identifier: Apache-2.0 */
/* Where and as whom: kpublish/aws_config.c, aws_profile.c, aws_keys.c, aws_credentials.c. */
#include "kpublish/aws_config.h"

#include <stdlib.h>
#include <string.h>

#include "kpublish/aws_credentials.h"
#include "kpublish/aws_profile.h"
#include "tap.h"

static const struct log silent = {"test", LOG_TEXT, -1};

/* The URL of a queue gives this region and endpoint; region NULL: wrong usage. */
static bool
is(const char *text, const char *host, const char *region, const char *endpoint)
{
	char hosts[AWS_REGION_SIZE];
	struct aws_config c;
	struct url url;
	const char *why;
	bool good;

	if (url_parse(&url, text, &why) == -1)
		return false;
	aws_config_region_of_host(hosts, host != NULL ? host : "");
	if (aws_config_read(&c, &url, "sqs", hosts, host, &silent) == -1) {
		url_free(&url);
		return region == NULL;
	}
	good = region != NULL && strcmp(c.region, region) == 0 &&
	       strcmp(c.endpoint, endpoint) == 0;
	if (!good)
		printf("# %s %s\n", c.region, c.endpoint);
	aws_config_free(&c);
	url_free(&url);
	return good;
}

static bool
host_is(const char *host, const char *want)
{
	char region[AWS_REGION_SIZE];

	aws_config_region_of_host(region, host);
	return strcmp(region, want) == 0;
}

static void
test_regions(struct tap *tap)
{
	tap_ok(tap,
	    host_is("sqs.us-east-2.amazonaws.com", "us-east-2") &&
		host_is("sqs-fips.us-gov-west-1.amazonaws.com:443", "us-gov-west-1") &&
		host_is("vpce-0a-b.sqs.eu-west-1.vpce.amazonaws.com", "eu-west-1") &&
		host_is("eu-west-1.queue.amazonaws.com", "eu-west-1") &&
		host_is("sqs.cn-north-1.amazonaws.com.cn", "cn-north-1"),
	    "regions of hosts");
	tap_ok(tap,
	    host_is("localhost:4566", "") && host_is("127.0.0.1:9324", "") &&
		host_is("sqs.example.com", "") && host_is("queue.amazonaws.com", "") &&
		host_is("", ""),
	    "hosts without one");
}

static void
test_endpoints(struct tap *tap)
{
	tap_ok(tap, is("awssqs://h/1/q", "h:1", NULL, NULL), "no region");
	setenv("AWS_DEFAULT_REGION", "us-west-1", 1);
	tap_ok(tap, is("awssqs://h/1/q", "h:1", "us-west-1", "https://h:1"), "the default one");
	setenv("AWS_REGION", "us-west-2", 1);
	tap_ok(tap, is("awssqs://h/1/q", "h:1", "us-west-2", "https://h:1"), "AWS_REGION");
	tap_ok(tap,
	    is("awssqs://h/1/q", "sqs.us-east-1.amazonaws.com", "us-east-1",
		"https://sqs.us-east-1.amazonaws.com"),
	    "the host's, which nothing else would fit");
	tap_ok(tap,
	    is("awssqs://h/1/q?region=eu-north-1", "sqs.us-east-1.amazonaws.com", "eu-north-1",
		"https://sqs.us-east-1.amazonaws.com"),
	    "?region=");
	tap_ok(tap,
	    is("awssqs://h/1/q", NULL, "us-west-2", "https://sqs.us-west-2.amazonaws.com") &&
		is("awssqs://h/1/q?region=cn-north-1", NULL, "cn-north-1",
		    "https://sqs.cn-north-1.amazonaws.com.cn"),
	    "no host");
	tap_ok(tap,
	    is("awssqs://h/1/q?disableSSL=true", "h:1", "us-west-2", "http://h:1") &&
		is("awssqs://h/1/q?disableSSL=F", "h:1", "us-west-2", "https://h:1") &&
		is("awssqs://h/1/q?disableSSL=1&endpoint=x", "h", "us-west-2", "http://x"),
	    "?disableSSL=");
	setenv("AWS_ENDPOINT_URL", "http://all:1", 1);
	tap_ok(tap, is("awssqs://h/1/q", "h", "us-west-2", "http://all:1"), "AWS_ENDPOINT_URL");
	setenv("AWS_ENDPOINT_URL_SQS", "http://sqs:1", 1);
	tap_ok(tap, is("awssqs://h/1/q", "h", "us-west-2", "http://sqs:1"),
	    "AWS_ENDPOINT_URL_SQS");
	tap_ok(tap,
	    is("awssqs://h/1/q?endpoint=https://e:2&s3ForcePathStyle=true", "h", "us-west-2",
		"https://e:2"),
	    "?endpoint=");
	tap_ok(tap,
	    is("awssqs://h/1/q?disableSSL=yes", "h", NULL, NULL) &&
		is("awssqs://h/1/q?s3ForcePathStyle=", "h", NULL, NULL) &&
		is("awssqs://h/1/q?region=US", "h", NULL, NULL) &&
		is("awssqs://h/1/q?endpoint=ftp://e", "h", NULL, NULL) &&
		is("awssqs://h/1/q?endpoint=http://me:pw@e", "h", NULL, NULL) &&
		is("awssqs://h/1/q?endpoint=http://", "h", NULL, NULL),
	    "wrong ones");
}

static void
test_profiles(struct tap *tap)
{
	static const char text[] = "# aws_access_key_id = comment\n"
				   "[default]\n"
				   "aws_access_key_id=D\n"
				   "aws_secret_access_key = dd ; a comment\r\n"
				   "[ profile  other ]\n"
				   "region = x\n"
				   "s3 =\n"
				   "  aws_access_key_id = nested\n"
				   "aws_access_key_id = O\n"
				   "aws_session_token = t=/+\n"
				   "[others]\n"
				   "aws_secret_access_key = oo";
	struct aws_section d = {.access = NULL};
	struct aws_section o = {.access = NULL};

	tap_ok(tap,
	    aws_profile_section(&d, text, "default") == 0 && strcmp(d.access, "D") == 0 &&
		strcmp(d.secret, "dd") == 0 && d.token == NULL,
	    "a section of a file");
	tap_ok(tap,
	    aws_profile_section(&o, text, "other") == 0 && strcmp(o.access, "O") == 0 &&
		o.secret == NULL && strcmp(o.token, "t=/+") == 0,
	    "a profile, with what is nested");
	tap_ok(tap,
	    aws_profile_section(&o, text, "others") == 0 && strcmp(o.access, "O") == 0 &&
		strcmp(o.secret, "oo") == 0,
	    "another adds what is not there");
	aws_profile_section_free(&d);
	aws_profile_section_free(&o);
}

static void
test_keys(struct tap *tap)
{
	static const char json[] =
	    "{\"Code\":\"Success\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\\/s\","
	    "\"Token\":\"t\",\"Expiration\":\"2026-11-23T10:15:00Z\"}";
	static const char xml[] =
	    "<R><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>A</AccessKeyId>"
	    "<SecretAccessKey>s</SecretAccessKey><SessionToken>t&amp;</SessionToken>"
	    "<Expiration>1970-01-01T00:00:10Z</Expiration></Credentials>"
	    "</AssumeRoleWithWebIdentityResult></R>";
	static const char late[] = "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\","
				   "\"Expiration\":\"tomorrow\"}";
	struct aws_keys k;
	const char *why;

	tap_ok(tap,
	    aws_keys_read_json(&k, json, strlen(json), &why) == 0 &&
		strcmp(k.access, "A") == 0 && strcmp(k.secret, "s/s") == 0 &&
		strcmp(k.token, "t") == 0 && k.expires == 1795428900,
	    "keys in JSON");
	aws_keys_free(&k);
	tap_ok(tap,
	    aws_keys_read_xml(&k, xml, strlen(xml), &why) == 0 && strcmp(k.access, "A") == 0 &&
		strcmp(k.token, "t&") == 0 && k.expires == 10,
	    "keys in XML");
	aws_keys_free(&k);
	tap_ok(tap,
	    aws_keys_read_json(&k, "{}", 2, &why) == -1 && k.access == NULL &&
		aws_keys_read_json(&k, late, strlen(late), &why) == -1 &&
		aws_keys_read_json(&k, "{", 1, &why) == -1 &&
		aws_keys_read_xml(&k, "<a/>", 4, &why) == -1,
	    "none");
	tap_ok(tap,
	    aws_keys_set(&k, "A", "s\r\nX: y", NULL, &why) == -1 &&
		aws_keys_set(&k, "A", "s", "t t", &why) == -1,
	    "what a header cannot hold");
}

static bool
renewed(int left_s, int from_s, int to_s)
{
	for (int i = 0; i < 100; i++) {
		int s = aws_credentials_renewal(left_s);

		if (s < from_s || s > to_s)
			return false;
	}
	return true;
}

int
main(void)
{
	struct tap tap = {0, 0};

	unsetenv("AWS_REGION");
	unsetenv("AWS_DEFAULT_REGION");
	unsetenv("AWS_ENDPOINT_URL");
	unsetenv("AWS_ENDPOINT_URL_SQS");
	test_regions(&tap);
	test_endpoints(&tap);
	test_profiles(&tap);
	test_keys(&tap);
	tap_ok(&tap, renewed(3600, 3150, 3300) && renewed(60, 30, 40) && renewed(0, 60, 60),
	    "when keys are renewed");
	return tap_done(&tap);
}
