/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of requests: kpublish/aws_batch.c, aws_sqs.c, aws_sns.c, aws_service.c. */
#include <stdint.h>
#include <string.h>

#include "kpublish/aws_batch.h"
#include "tap.h"

static const uint8_t bytes[] = {0xfb, 0xef, 0xff};

static struct message
message_of(const char *id)
{
	return (struct message){
	    .body = bytes,
	    .len = sizeof(bytes),
	    .id = {id, strlen(id)},
	    .key = "c/u \"1\"",
	    .key_len = 7,
	    .attributes = {{"id", id, strlen(id)}, {"api_version", "apps/v1", 7}},
	    .n_attributes = 2,
	};
}

/* The body of a request with one message. */
static bool
body_is(const struct aws_service *service, const char *name, bool fifo, const char *want)
{
	const struct aws_target target = {name, fifo};
	struct message m = message_of("i");
	struct message *taken[AWS_BATCH_MAX];
	struct aws_batch b;
	bool same;

	aws_batch_init(&b);
	same = aws_batch_add(&b, service, &target, &m, 1) == 0 && service->end(&b.body) == 0 &&
	       buf_terminate(&b.body) == 0 && strcmp(b.body.data, want) == 0;
	if (!same)
		printf("# %s\n# %s\n", b.body.data, want);
	same = same && aws_batch_take(&b, taken) == 1 && taken[0] == &m && b.n == 0 &&
	       b.body.len == 0;
	aws_batch_free(&b);
	return same;
}

static void
test_batch(struct tap *tap)
{
	const struct aws_target target = {"u", false};
	struct message m = message_of("i");
	struct message alone = message_of("a");
	struct aws_batch b;
	bool good = true;

	alone.tag = AWS_TAG_ALONE;
	aws_batch_init(&b);
	tap_ok(tap, aws_batch_has_room(&b, &m, 100, 10), "an empty one takes any");
	aws_batch_add(&b, &aws_sqs, &target, &m, 6);
	tap_ok(tap,
	    aws_batch_has_room(&b, &m, 4, 10) && !aws_batch_has_room(&b, &m, 5, 10) &&
		!aws_batch_has_room(&b, &alone, 1, 10),
	    "up to so many bytes");
	for (int i = 1; i < AWS_BATCH_MAX; i++)
		good = good && !aws_batch_is_full(&b) &&
		       aws_batch_add(&b, &aws_sqs, &target, &m, 1) == 0;
	tap_ok(tap,
	    good && aws_batch_is_full(&b) && !aws_batch_has_room(&b, &m, 1, 1000) &&
		buf_terminate(&b.body) == 0 && strstr(b.body.data, "{\"Id\":\"9\"") != NULL,
	    "up to ten");
	aws_batch_take(&b, (struct message *[AWS_BATCH_MAX]){NULL});
	aws_batch_add(&b, &aws_sqs, &target, &alone, 1);
	tap_ok(tap, aws_batch_is_full(&b), "one that goes alone");
	aws_batch_free(&b);
}

int
main(void)
{
	struct tap tap = {0, 0};
	struct message m = message_of("i");
	size_t size;

	tap_ok(&tap,
	    body_is(&aws_sqs, "https://h/1/q", false,
		"{\"QueueUrl\":\"https://h/1/"
		"q\",\"Entries\":[{\"Id\":\"0\",\"MessageBody\":\"++//\","
		"\"MessageAttributes\":{"
		"\"base64encoded\":{\"DataType\":\"String\",\"StringValue\":\"true\"},"
		"\"id\":{\"DataType\":\"String\",\"StringValue\":\"i\"},"
		"\"api_version\":{\"DataType\":\"String\",\"StringValue\":\"apps%2Fv1\"}}}]}"),
	    "SQS");
	tap_ok(&tap,
	    body_is(&aws_sqs, "u", true,
		"{\"QueueUrl\":\"u\",\"Entries\":[{\"Id\":\"0\",\"MessageBody\":\"++//\","
		"\"MessageAttributes\":{"
		"\"base64encoded\":{\"DataType\":\"String\",\"StringValue\":\"true\"},"
		"\"id\":{\"DataType\":\"String\",\"StringValue\":\"i\"},"
		"\"api_version\":{\"DataType\":\"String\",\"StringValue\":\"apps%2Fv1\"}},"
		"\"MessageGroupId\":"
		"\"af01868116172ae3d10c357b366699574d1fda709a9e3e39798718ffa64a0f50\","
		"\"MessageDeduplicationId\":\"i\"}]}"),
	    "SQS: a FIFO queue, and a key that is no group's id");
	tap_ok(&tap,
	    body_is(&aws_sns, "arn:t", false,
		"Action=PublishBatch&Version=2010-03-31&TopicArn=arn%3At"
		"&PublishBatchRequestEntries.member.1.Id=0"
		"&PublishBatchRequestEntries.member.1.Message=%2B%2B%2F%2F"
		"&PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Name="
		"base64encoded"
		"&PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Value.DataType="
		"String"
		"&PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Value."
		"StringValue=true"
		"&PublishBatchRequestEntries.member.1.MessageAttributes.entry.2.Name=id"
		"&PublishBatchRequestEntries.member.1.MessageAttributes.entry.2.Value.DataType="
		"String"
		"&PublishBatchRequestEntries.member.1.MessageAttributes.entry.2.Value."
		"StringValue=i"
		"&PublishBatchRequestEntries.member.1.MessageAttributes.entry.3.Name=api_"
		"version"
		"&PublishBatchRequestEntries.member.1.MessageAttributes.entry.3.Value.DataType="
		"String"
		"&PublishBatchRequestEntries.member.1.MessageAttributes.entry.3.Value."
		"StringValue="
		"apps%252Fv1"),
	    "SNS");
	tap_ok(&tap,
	    aws_service_size(&m, &size) == 0 &&
		size == 4 + strlen("base64encodedStringtrue") + strlen("idStringi") +
			    strlen("api_versionStringapps%2Fv1"),
	    "what a message counts");
	test_batch(&tap);
	return tap_done(&tap);
}
