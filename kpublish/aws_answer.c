/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "aws_xml.h"

/* Codes without a trailing "Exception". Sources: botocore's retry handlers;
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html;
 * the errors that SendMessageBatch, PublishBatch and AssumeRoleWithWebIdentity document. */
static const struct {
	const char *code;
	enum aws_remedy remedy;
} codes[] = {
    {"Throttling", AWS_SLOW_DOWN},
    {"Throttled", AWS_SLOW_DOWN},
    {"RequestThrottled", AWS_SLOW_DOWN},
    {"TooManyRequests", AWS_SLOW_DOWN},
    {"OverLimit", AWS_SLOW_DOWN},
    {"RequestLimitExceeded", AWS_SLOW_DOWN},
    {"BandwidthLimitExceeded", AWS_SLOW_DOWN},
    {"LimitExceeded", AWS_SLOW_DOWN},
    {"PriorRequestNotComplete", AWS_SLOW_DOWN},
    {"SlowDown", AWS_SLOW_DOWN},
    {"ServiceUnavailable", AWS_SLOW_DOWN},
    {"KmsThrottled", AWS_SLOW_DOWN},
    {"KMSThrottling", AWS_SLOW_DOWN},
    {"ExpiredToken", AWS_RENEW},
    {"InvalidClientTokenId", AWS_RENEW},
    {"UnrecognizedClient", AWS_RENEW},
    {"InvalidAccessKeyId", AWS_RENEW},
    {"InvalidToken", AWS_RENEW},
    {"TokenRefreshRequired", AWS_RENEW},
    {"MissingAuthenticationToken", AWS_RENEW},
    {"AuthFailure", AWS_RENEW},
    {"SignatureDoesNotMatch", AWS_RENEW},
    {"InvalidSignature", AWS_RENEW},
    {"IncompleteSignature", AWS_RENEW},
    {"AccessDenied", AWS_RETRY},
    {"AuthorizationError", AWS_RETRY},
    {"OptInRequired", AWS_RETRY},
    {"QueueDoesNotExist", AWS_RETRY},
    {"NonExistentQueue", AWS_RETRY},
    {"NotFound", AWS_RETRY},
    {"UnsupportedOperation", AWS_RETRY},
    {"BatchRequestTooLong", AWS_SPLIT},
    {"InvalidMessageContents", AWS_REJECT},
    {"InvalidParameter", AWS_REJECT},
    {"InvalidParameterValue", AWS_REJECT},
    {"ParameterValueInvalid", AWS_REJECT},
    {"InvalidAttributeName", AWS_REJECT},
    {"InvalidAttributeValue", AWS_REJECT},
    {"InvalidBatchEntryId", AWS_REJECT},
    {"MissingParameter", AWS_REJECT},
    {"Validation", AWS_REJECT},
    {"ValidationError", AWS_REJECT},
};

static bool
code_is(const struct aws_error *error, const char *wanted)
{
	size_t n = strlen(wanted);

	return strncmp(error->code, wanted, n) == 0 &&
	       (error->code[n] == '\0' || strcmp(error->code + n, "Exception") == 0);
}

/* A message's size has no code of its own: the words of SQS, of SNS, of ElasticMQ. */
static bool
says_too_large(const char *text)
{
	return strstr(text, "must be shorter than") != NULL ||
	       strstr(text, "Message too long") != NULL ||
	       strstr(text, "MessageTooLong") != NULL;
}

enum aws_remedy
aws_answer_remedy(const struct aws_error *error, long status)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (!code_is(error, codes[i].code))
			continue;
		if (codes[i].remedy == AWS_REJECT && says_too_large(error->text))
			return AWS_SHRINK;
		return codes[i].remedy;
	}
	if (status == 429 || status == 503)
		return AWS_SLOW_DOWN;
	if (status == 413)
		return AWS_SHRINK;
	/* Of a key store's troubles (KmsDisabled, KMSAccessDenied) the sender is no cause. */
	return error->sender_fault && strncasecmp(error->code, "kms", 3) != 0 ? AWS_REJECT
									      : AWS_RETRY;
}

bool
aws_answer_denied(const struct aws_error *error)
{
	return code_is(error, "AccessDenied") || code_is(error, "AuthorizationError");
}

/* About a signature that does not fit SQS says all that it thinks was signed, the session token
 * among it; about one that is too old or too new, the two times. */
void
aws_answer_censor(struct aws_error *error)
{
	static const char clock[] = "; is this machine's clock right?";
	bool times = strncmp(error->text, "Signature expired: ", 19) == 0 ||
		     strncmp(error->text, "Signature not yet current: ", 27) == 0;
	size_t len;

	if (times || code_is(error, "RequestExpired") ||
	    code_is(error, "RequestTimeTooSkewed")) {
		len = strcspn(error->text, "\n");
		if (len > sizeof(error->text) - sizeof(clock))
			len = sizeof(error->text) - sizeof(clock);
		snprintf(error->text + len, sizeof(error->text) - len, "%s", clock);
	} else if (strstr(error->code, "Signature") != NULL) {
		snprintf(error->text, sizeof(error->text),
		    "the secret key does not belong to the access key, or the region or this "
		    "machine's clock is wrong");
	}
}

static void
on_error_element(void *arg, const char *path, const char *text, size_t len)
{
	struct aws_error *error = arg;

	(void)len;
	if (strncmp(path, "Errors/", 7) == 0) /* as EC2 has it, and moto */
		path += 7;
	if (strcmp(path, "Error/Code") == 0)
		snprintf(error->code, sizeof(error->code), "%s", text);
	else if (strcmp(path, "Error/Message") == 0)
		snprintf(error->text, sizeof(error->text), "%s", text);
}

void
aws_answer_error_xml(const char *text, size_t len, struct aws_error *error)
{
	*error = (struct aws_error){.code = ""};
	if (aws_xml_read(text, len, on_error_element, error) == -1)
		*error = (struct aws_error){.code = ""};
}

void
aws_answer_entry(struct aws_result results[AWS_BATCH_MAX], const struct aws_entry *entry,
    enum aws_state state)
{
	_Static_assert(AWS_BATCH_MAX == 10, "a place is one digit");
	if (entry->id[0] >= '0' && entry->id[0] <= '9' && entry->id[1] == '\0')
		results[entry->id[0] - '0'] = (struct aws_result){state, entry->error};
}
