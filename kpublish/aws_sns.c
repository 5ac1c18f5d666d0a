/* SPDX-License-Identifier: Apache-2.0 */
/* SNS by the query protocol: forms, and XML as answers. Source:
 * https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws_service.h"
#include "aws_text.h"
#include "aws_xml.h"
#include "text.h"

enum { PREFIX_SIZE = 64 };

static int
begin_action(struct buf *to, const char *action, const struct aws_target *target)
{
	return buf_printf(to, "Action=%s&Version=2010-03-31&TopicArn=", action) == -1
		   ? -1
		   : text_add_query(to, target->name);
}

static int
ask(struct buf *to, const struct aws_target *target)
{
	return begin_action(to, "GetTopicAttributes", target);
}

static int
begin(struct buf *to, const struct aws_target *target)
{
	return begin_action(to, "PublishBatch", target);
}

/* The value of an attribute, which is escaped for gocloud first and for the form then. */
static int
add_value(struct buf *to, const char *value)
{
	struct buf escaped;
	int result = -1;

	buf_init(&escaped, to->max);
	if (aws_text_value(&escaped, value) == 0 && buf_terminate(&escaped) == 0)
		result = text_add_query(to, escaped.data);
	buf_free(&escaped);
	return result;
}

/* n counts from 1. Names of ours need no escape in a form. */
static int
add_attribute(struct buf *to, const char *prefix, size_t n, const char *name, const char *value)
{
	int bad = buf_printf(to, "&%s.MessageAttributes.entry.%zu.Name=", prefix, n);

	bad |= aws_text_name(to, name);
	bad |= buf_printf(to,
	    "&%s.MessageAttributes.entry.%zu.Value.DataType=String"
	    "&%s.MessageAttributes.entry.%zu.Value.StringValue=",
	    prefix, n, prefix, n);
	return bad | add_value(to, value);
}

static int
add_id(struct buf *to, const char *prefix, const char *name, const char *text, size_t len)
{
	char id[AWS_ID_SIZE];

	return aws_text_id(id, text, len) == -1 ||
		       buf_printf(to, "&%s.%s=", prefix, name) == -1 ||
		       text_add_query(to, id) == -1
		   ? -1
		   : 0;
}

static int
add(struct buf *to, const struct aws_target *target, size_t place, const struct message *m)
{
	char prefix[PREFIX_SIZE];
	int bad;

	snprintf(prefix, sizeof(prefix), "PublishBatchRequestEntries.member.%zu", place + 1);
	bad = buf_printf(to, "&%s.Id=%zu&%s.Message=", prefix, place, prefix);
	bad |= aws_text_base64_form(to, m->body, m->len);
	bad |= add_attribute(to, prefix, 1, "base64encoded", "true");
	for (size_t i = 0; i < m->n_attributes; i++)
		bad |= add_attribute(
		    to, prefix, i + 2, m->attributes[i].name, m->attributes[i].value);
	if (target->fifo) {
		bad |= add_id(to, prefix, "MessageGroupId", m->key, m->key_len);
		bad |= add_id(to, prefix, "MessageDeduplicationId", m->id.p, m->id.len);
	}
	return bad;
}

static int
end(struct buf *to)
{
	(void)to;
	return 0;
}

struct results {
	struct aws_result *results;
	struct aws_entry entry;
};

/* path behind the prefix; NULL when it begins otherwise. */
static const char *
behind(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(path, prefix, n) == 0 ? path + n : NULL;
}

static void
on_result(void *arg, const char *path, const char *text, size_t len)
{
	struct results *r = arg;
	struct aws_entry *e = &r->entry;
	const char *sent = behind(path, "PublishBatchResult/Successful/member");
	const char *part =
	    sent != NULL ? sent : behind(path, "PublishBatchResult/Failed/member");

	(void)len;
	if (part == NULL)
		return;
	if (strcmp(part, "/Id") == 0)
		snprintf(e->id, sizeof(e->id), "%s", text);
	else if (strcmp(part, "/Code") == 0)
		snprintf(e->error.code, sizeof(e->error.code), "%s", text);
	else if (strcmp(part, "/Message") == 0)
		snprintf(e->error.text, sizeof(e->error.text), "%s", text);
	else if (strcmp(part, "/SenderFault") == 0)
		e->error.sender_fault = strcmp(text, "true") == 0;
	if (*part != '\0')
		return;
	aws_answer_entry(r->results, e, sent != NULL ? AWS_SENT : AWS_FAILED);
	*e = (struct aws_entry){.id = ""};
}

static int
read_results(const char *text, size_t len, struct aws_result results[AWS_BATCH_MAX])
{
	struct results r = {.results = results};

	memset(results, 0, AWS_BATCH_MAX * sizeof(*results));
	return aws_xml_read(text, len, on_result, &r);
}

struct limit {
	bool wanted; /* the key that came last is the one */
	size_t bytes;
};

static void
on_attribute(void *arg, const char *path, const char *text, size_t len)
{
	struct limit *l = arg;
	const char *part = behind(path, "GetTopicAttributesResult/Attributes/entry/");

	(void)len;
	if (part == NULL)
		return;
	if (strcmp(part, "key") == 0)
		l->wanted = strcmp(text, "MaximumMessageSize") == 0;
	else if (strcmp(part, "value") == 0 && l->wanted)
		l->bytes = (size_t)strtoul(text, NULL, 10);
}

static size_t
read_limit(const char *text, size_t len)
{
	struct limit l = {.wanted = false};

	return aws_xml_read(text, len, on_attribute, &l) == 0 ? l.bytes : 0;
}

static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded", NULL};

const struct aws_service aws_sns = {
    .name = "sns",
    .message_max = (size_t)256 * 1024,
    .request_max = (size_t)256 * 1024,
    .one_limit = true,
    .ask_headers = headers,
    .send_headers = headers,
    .ask = ask,
    .begin = begin,
    .add = add,
    .end = end,
    .read_limit = read_limit,
    .read_results = read_results,
    .read_error = aws_answer_error_xml,
};
