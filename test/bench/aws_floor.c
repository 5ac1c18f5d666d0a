/* SPDX-License-Identifier: Apache-2.0 */
/* The floor for awssqs:// and awssns://: a plain loop of libcurl's, ten messages a request and one request
 * at a time, over one connection. No retry.
 *
 *	aws_floor sqs|sns ENDPOINT QUEUE_URL|TOPIC_ARN < LINES
 *
 * A line is a key, a tab, and the body. The keys are in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. */
#include <curl/curl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "attributes.h"
#include "buf.h"

enum { REQUEST_MAX = 1024 * 1024, BATCH = 10 };

static void
check(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "aws_floor: %s\n", what);
	exit(1);
}

static size_t
ignore(char *bytes, size_t size, size_t n, void *arg)
{
	(void)bytes;
	(void)arg;
	return size * n;
}

/* The body as it is sent, in base64. */
static const char *
encode(struct buf *to, const char *line, size_t len)
{
	const char *tab = memchr(line, '\t', len);
	size_t body;
	char *at;

	check(tab != NULL, "a line without a tab");
	body = len - (size_t)(tab + 1 - line);
	to->len = 0;
	at = buf_reserve(to, body / 3 * 4 + 5);
	check(at != NULL, "a line is too long");
	EVP_EncodeBlock((unsigned char *)at, (const unsigned char *)(tab + 1), (int)body);
	return at;
}

static int
add_sqs(struct buf *to, int n, const char *body)
{
	int bad = buf_printf(to,
	    "%s{\"Id\":\"%d\",\"MessageBody\":\"%s\",\"MessageAttributes\":"
	    "{\"base64encoded\":{\"DataType\":\"String\",\"StringValue\":\"true\"}",
	    n == 0 ? "" : ",", n, body);

	for (int i = 0; i < ATTRIBUTES; i++)
		bad |=
		    buf_printf(to, ",\"%s\":{\"DataType\":\"String\",\"StringValue\":\"%s\"}",
			attributes[i].name, attributes[i].value);
	return bad | buf_addstr(to, "}}");
}

static int
add_sns_attribute(struct buf *to, int n, int i, const char *name, const char *value)
{
	static const char prefix[] = "&PublishBatchRequestEntries.member.%d"
				     ".MessageAttributes.entry.%d.%s=%s";
	const char *const parts[][2] = {
	    {"Name", name}, {"Value.DataType", "String"}, {"Value.StringValue", value}};
	int bad = 0;

	for (int part = 0; part < 3; part++)
		bad |= buf_printf(to, prefix, n + 1, i + 1, parts[part][0], parts[part][1]);
	return bad;
}

static int
add_sns(struct buf *to, int n, const char *body)
{
	char *escaped = curl_easy_escape(NULL, body, 0);
	int bad;

	check(escaped != NULL, "out of memory");
	bad = buf_printf(to,
	    "&PublishBatchRequestEntries.member.%d.Id=%d"
	    "&PublishBatchRequestEntries.member.%d.Message=%s",
	    n + 1, n, n + 1, escaped);
	bad |= add_sns_attribute(to, n, ATTRIBUTES, "base64encoded", "true");
	for (int i = 0; i < ATTRIBUTES; i++)
		bad |= add_sns_attribute(to, n, i, attributes[i].name, attributes[i].value);
	curl_free(escaped);
	return bad;
}

static int
begin(struct buf *to, int is_sqs, const char *target)
{
	to->len = 0;
	return is_sqs ? buf_printf(to, "{\"QueueUrl\":\"%s\",\"Entries\":[", target)
		      : buf_printf(
			    to, "Action=PublishBatch&Version=2010-03-31&TopicArn=%s", target);
}

static void
post(CURL *easy, struct buf *request, int is_sqs)
{
	check(!is_sqs || buf_addstr(request, "]}") == 0, "a request is too long");
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->len);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->data);
	check(curl_easy_perform(easy) == CURLE_OK, "a request failed");
}

static void
publish_all(CURL *easy, int is_sqs, const char *target)
{
	struct buf request, body;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int n = 0;

	buf_init(&request, REQUEST_MAX);
	buf_init(&body, REQUEST_MAX);
	while ((len = getline(&line, &size, stdin)) > 0) {
		const char *text = encode(&body, line, (size_t)len - (line[len - 1] == '\n'));

		check((n > 0 || begin(&request, is_sqs, target) == 0) &&
			  (is_sqs ? add_sqs : add_sns)(&request, n, text) == 0,
		    "a line is too long");
		if (++n == BATCH) {
			post(easy, &request, is_sqs);
			n = 0;
		}
	}
	if (n > 0)
		post(easy, &request, is_sqs);
	free(line);
	buf_free(&request);
	buf_free(&body);
}

static struct curl_slist *
set_up(CURL *easy, int is_sqs, const char *endpoint)
{
	static const char *const sqs[] = {"Content-Type: application/x-amz-json-1.0",
	    "X-Amz-Target: AmazonSQS.SendMessageBatch"};
	struct curl_slist *headers = NULL;

	for (size_t i = 0; is_sqs && i < 2; i++)
		headers = curl_slist_append(headers, sqs[i]);
	curl_easy_setopt(easy, CURLOPT_URL, endpoint);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_AWS_SIGV4,
	    is_sqs ? "aws:amz:us-east-1:sqs" : "aws:amz:us-east-1:sns");
	curl_easy_setopt(easy, CURLOPT_USERNAME, getenv("AWS_ACCESS_KEY_ID"));
	curl_easy_setopt(easy, CURLOPT_PASSWORD, getenv("AWS_SECRET_ACCESS_KEY"));
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
	curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
	return headers;
}

int
main(int argc, char **argv)
{
	CURL *easy = curl_easy_init();
	struct curl_slist *headers;
	int is_sqs;

	check(
	    argc == 4 && easy != NULL, "usage: aws_floor sqs|sns ENDPOINT QUEUE_URL|TOPIC_ARN");
	is_sqs = strcmp(argv[1], "sqs") == 0;
	headers = set_up(easy, is_sqs, argv[2]);
	publish_all(easy, is_sqs, argv[3]);
	curl_slist_free_all(headers);
	curl_easy_cleanup(easy);
	return 0;
}
