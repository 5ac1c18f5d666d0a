/* SPDX-License-Identifier: Apache-2.0 */
/* What SQS and SNS answer, and what it calls for: kpublish/aws_answer.c, aws_sqs.c, aws_sns.c. */
#include <stdio.h>
#include <string.h>

#include "kpublish/aws_service.h"
#include "tap.h"

static enum aws_remedy
remedy_of(const char *code, const char *text, bool sender_fault, long status)
{
	struct aws_error error = {.sender_fault = sender_fault};

	snprintf(error.code, sizeof(error.code), "%s", code);
	snprintf(error.text, sizeof(error.text), "%s", text);
	return aws_answer_remedy(&error, status);
}

static void
test_remedies(struct tap *tap)
{
	tap_ok(tap,
	    remedy_of("ThrottlingException", "", false, 400) == AWS_SLOW_DOWN &&
		remedy_of("RequestThrottled", "", false, 403) == AWS_SLOW_DOWN &&
		remedy_of("KmsThrottled", "", true, 200) == AWS_SLOW_DOWN &&
		remedy_of("", "", false, 503) == AWS_SLOW_DOWN &&
		remedy_of("", "", false, 429) == AWS_SLOW_DOWN,
	    "throttled");
	tap_ok(tap,
	    remedy_of("ExpiredTokenException", "", false, 403) == AWS_RENEW &&
		remedy_of("ExpiredToken", "", false, 403) == AWS_RENEW &&
		remedy_of("InvalidClientTokenId", "", false, 403) == AWS_RENEW &&
		remedy_of("InvalidSignatureException", "", false, 403) == AWS_RENEW,
	    "other keys are wanted");
	tap_ok(tap, remedy_of("BatchRequestTooLong", "", false, 400) == AWS_SPLIT,
	    "too large together");
	tap_ok(tap,
	    remedy_of("InvalidParameterValue",
		"One or more parameters are invalid. Reason: Message must be shorter than "
		"2048 bytes.",
		false, 400) == AWS_SHRINK &&
		remedy_of("InvalidParameter", "Invalid parameter: Message too long", true,
		    200) == AWS_SHRINK &&
		remedy_of("", "", false, 413) == AWS_SHRINK,
	    "a message too large");
	tap_ok(tap,
	    remedy_of("InvalidMessageContents", "", true, 200) == AWS_REJECT &&
		remedy_of("SomethingNew", "", true, 200) == AWS_REJECT,
	    "a message that is wrong");
	tap_ok(tap,
	    remedy_of("InternalError", "", false, 200) == AWS_RETRY &&
		remedy_of("SomethingNew", "", false, 400) == AWS_RETRY &&
		remedy_of("", "", false, 500) == AWS_RETRY &&
		remedy_of("AccessDenied", "", true, 200) == AWS_RETRY &&
		remedy_of("KMSAccessDeniedException", "", true, 200) == AWS_RETRY &&
		remedy_of("QueueDoesNotExist", "", true, 400) == AWS_RETRY,
	    "others may pass");
}

static bool
censored(const char *code, const char *text, const char *want)
{
	struct aws_error error;

	snprintf(error.code, sizeof(error.code), "%s", code);
	snprintf(error.text, sizeof(error.text), "%s", text);
	aws_answer_censor(&error);
	return strcmp(error.text, want) == 0;
}

static void
test_censor(struct tap *tap)
{
	static const char clock[] = "; is this machine's clock right?";
	char long_text[300];
	char want[sizeof(((struct aws_error *)NULL)->text)];

	tap_ok(tap,
	    censored("SignatureDoesNotMatch",
		"The request signature we calculated does not match.\n\nThe Canonical String "
		"for this request should have been\n'POST\nx-amz-security-token:SECRET'",
		"the secret key does not belong to the access key, or the region or this "
		"machine's clock is wrong"),
	    "what was signed is not shown");
	tap_ok(tap,
	    censored("InvalidSignatureException",
		"Signature expired: 20261123T101500Z is now earlier than 20261123T110000Z",
		"Signature expired: 20261123T101500Z is now earlier than 20261123T110000Z; is "
		"this machine's clock right?"),
	    "the two times are");
	memset(long_text, 'x', sizeof(long_text));
	memcpy(long_text, "Signature expired: ", 19);
	long_text[sizeof(long_text) - 1] = '\0';
	memcpy(want, long_text, sizeof(want));
	memcpy(want + sizeof(want) - sizeof(clock), clock, sizeof(clock));
	tap_ok(tap, censored("InvalidSignatureException", long_text, want), "cut short");
	tap_ok(tap,
	    censored("AccessDenied", "User: x is not allowed", "User: x is not allowed"),
	    "others stay");
}

static void
test_sqs(struct tap *tap)
{
	static const char answer[] =
	    "{\"Successful\":[{\"Id\":\"0\",\"MessageId\":\"m\"},{\"Id\":\"12\"},{\"Id\":\"x\"}"
	    "],"
	    "\"Failed\":[{\"Id\":\"2\",\"Code\":\"AWS.SimpleQueueService.InternalError\","
	    "\"Message\":\"a \\\"b\\\"\",\"SenderFault\":false},"
	    "{\"Id\":\"3\",\"Code\":\"InvalidMessageContents\",\"SenderFault\":true}]}";
	static const char limit[] = "{\"Attributes\":{\"QueueArn\":\"x\","
				    "\"MaximumMessageSize\":\"2048\"}}";
	static const char in_xml[] = "<ErrorResponse><Errors><Error><Code>AccessDenied</Code>"
				     "</Error></Errors></ErrorResponse>";
	static const char error[] =
	    "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"No\"}";
	struct aws_result r[AWS_BATCH_MAX];
	struct aws_error e;

	tap_ok(tap,
	    aws_sqs.read_results(answer, strlen(answer), r) == 0 && r[0].state == AWS_SENT &&
		r[1].state == AWS_UNKNOWN && r[2].state == AWS_FAILED &&
		strcmp(r[2].error.code, "InternalError") == 0 &&
		strcmp(r[2].error.text, "a \"b\"") == 0 && !r[2].error.sender_fault &&
		r[3].state == AWS_FAILED && r[3].error.sender_fault,
	    "SQS: results");
	tap_ok(tap,
	    aws_sqs.read_results("{\"Failed\":null}", 15, r) == 0 &&
		r[0].state == AWS_UNKNOWN && aws_sqs.read_results("", 0, r) == -1 &&
		aws_sqs.read_results("[]", 2, r) == -1 &&
		aws_sqs.read_results(answer, strlen(answer) - 1, r) == -1,
	    "SQS: none, and what is none");
	aws_sqs.read_error(error, strlen(error), &e);
	tap_ok(tap, strcmp(e.code, "QueueDoesNotExist") == 0 && strcmp(e.text, "No") == 0,
	    "SQS: an error");
	aws_sqs.read_error(in_xml, strlen(in_xml), &e);
	tap_ok(tap, strcmp(e.code, "AccessDenied") == 0, "SQS: an error in XML");
	aws_sqs.read_error("<html>", 6, &e);
	tap_ok(tap, *e.code == '\0' && *e.text == '\0', "SQS: what is none");
	tap_ok(tap,
	    aws_sqs.read_limit(limit, strlen(limit)) == 2048 &&
		aws_sqs.read_limit("{\"Attributes\":{}}", 17) == 0 &&
		aws_sqs.read_limit("{}", 2) == 0 && aws_sqs.read_limit("x", 1) == 0,
	    "SQS: the limit");
}

static void
test_sns(struct tap *tap)
{
	static const char answer[] =
	    "<?xml version=\"1.0\"?><PublishBatchResponse xmlns=\"http://sns\">"
	    "<PublishBatchResult>\n <Failed><member><Code>InternalError</Code><Id>2</Id>"
	    "<Message>a &lt;b&gt;</Message><SenderFault>false</SenderFault></member>"
	    "<member><Id>3</Id><SenderFault>true</SenderFault><Code>InvalidParameter</Code>"
	    "</member></Failed><Successful><member><MessageId>m</MessageId><Id>0</Id></member>"
	    "<member><Id>12</Id></member></Successful></PublishBatchResult>"
	    "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>"
	    "</PublishBatchResponse>";
	static const char error[] =
	    "<ErrorResponse><Error><Type>Sender</Type><Code>NotFound</Code>"
	    "<Message>No</Message></Error></ErrorResponse>";
	static const char limit[] =
	    "<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes>"
	    "<entry><key>Owner</key><value>1</value></entry>"
	    "<entry><key>MaximumMessageSize</key><value>1048576</value></entry>"
	    "<entry><key>Other</key><value>2</value></entry>"
	    "</Attributes></GetTopicAttributesResult></GetTopicAttributesResponse>";
	static const char doctype[] = "<!DOCTYPE a [<!ENTITY x \"0\">]><PublishBatchResponse/>";
	struct aws_result r[AWS_BATCH_MAX];
	struct aws_error e;

	tap_ok(tap,
	    aws_sns.read_results(answer, strlen(answer), r) == 0 && r[0].state == AWS_SENT &&
		r[1].state == AWS_UNKNOWN && r[2].state == AWS_FAILED &&
		strcmp(r[2].error.code, "InternalError") == 0 &&
		strcmp(r[2].error.text, "a <b>") == 0 && !r[2].error.sender_fault &&
		r[3].state == AWS_FAILED && r[3].error.sender_fault && *r[3].error.text == '\0',
	    "SNS: results");
	tap_ok(tap,
	    aws_sns.read_results("<a/>", 4, r) == 0 && r[0].state == AWS_UNKNOWN &&
		aws_sns.read_results("", 0, r) == -1 &&
		aws_sns.read_results(answer, strlen(answer) - 1, r) == -1 &&
		aws_sns.read_results(doctype, strlen(doctype), r) == -1,
	    "SNS: none, and what is none");
	aws_sns.read_error(error, strlen(error), &e);
	tap_ok(
	    tap, strcmp(e.code, "NotFound") == 0 && strcmp(e.text, "No") == 0, "SNS: an error");
	tap_ok(tap,
	    aws_sns.read_limit(limit, strlen(limit)) == 1048576 &&
		aws_sns.read_limit("<a/>", 4) == 0,
	    "SNS: the limit");
}

int
main(void)
{
	struct tap tap = {0, 0};

	test_remedies(&tap);
	test_censor(&tap);
	test_sqs(&tap);
	test_sns(&tap);
	return tap_done(&tap);
}
