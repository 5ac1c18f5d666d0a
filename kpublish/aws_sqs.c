/* SPDX-License-Identifier: Apache-2.0 */
/* SQS by its JSON protocol. Source:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 * https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html */
#include <stdlib.h>
#include <string.h>

#include "aws_service.h"
#include "aws_text.h"
#include "json.h"
#include "text.h"

static int
ask(struct buf *to, const struct aws_target *target)
{
	return buf_printf(to,
	    "{\"QueueUrl\":\"%s\",\"AttributeNames\":[\"MaximumMessageSize\"]}", target->name);
}

static int
begin(struct buf *to, const struct aws_target *target)
{
	return buf_printf(to, "{\"QueueUrl\":\"%s\",\"Entries\":[", target->name);
}

static int
add_attribute(struct buf *to, const char *name, const char *value)
{
	return buf_addstr(to, "\"") == -1 || aws_text_name(to, name) == -1 ||
		       buf_addstr(to, "\":{\"DataType\":\"String\",\"StringValue\":\"") == -1 ||
		       aws_text_value(to, value) == -1 || buf_addstr(to, "\"}") == -1
		   ? -1
		   : 0;
}

static int
add_attributes(struct buf *to, const struct message *m)
{
	int bad = buf_addstr(to, ",\"MessageAttributes\":{");

	bad |= add_attribute(to, "base64encoded", "true");
	for (size_t i = 0; i < m->n_attributes; i++) {
		bad |= buf_addstr(to, ",");
		bad |= add_attribute(to, m->attributes[i].name, m->attributes[i].value);
	}
	return bad | buf_addstr(to, "}");
}

static int
add_id(struct buf *to, const char *name, const char *text, size_t len)
{
	char id[AWS_ID_SIZE];

	return aws_text_id(id, text, len) == -1 || buf_printf(to, ",\"%s\":", name) == -1 ||
		       text_add_json(to, id) == -1
		   ? -1
		   : 0;
}

static int
add(struct buf *to, const struct aws_target *target, size_t place, const struct message *m)
{
	int bad =
	    buf_printf(to, "%s{\"Id\":\"%zu\",\"MessageBody\":\"", place > 0 ? "," : "", place);

	bad |= aws_text_base64(to, m->body, m->len);
	bad |= buf_addstr(to, "\"");
	bad |= add_attributes(to, m);
	if (target->fifo) {
		bad |= add_id(to, "MessageGroupId", m->key, m->key_len);
		bad |= add_id(to, "MessageDeduplicationId", m->id.p, m->id.len);
	}
	return bad | buf_addstr(to, "}");
}

static int
end(struct buf *to)
{
	return buf_addstr(to, "]}");
}

/* The string into out, cut short. What is longer than out keeps its escapes. */
static void
copy(char *out, size_t size, const struct json_str *str)
{
	size_t n = size - 1;

	if (str->len < size)
		n = json_unescape(str, out);
	else
		memcpy(out, str->p, n);
	out[n] = '\0';
}

/* com.amazonaws.sqs#QueueDoesNotExist; in entries maybe AWS.SimpleQueueService.Name. */
static void
copy_code(char *out, size_t size, const struct json_str *str)
{
	static const char old[] = "AWS.SimpleQueueService.";
	struct json_str name = *str;
	const char *hash = memrchr(str->p, '#', str->len);
	size_t skip = 0;

	if (hash != NULL)
		skip = (size_t)(hash + 1 - str->p);
	else if (str->len >= strlen(old) && memcmp(str->p, old, strlen(old)) == 0)
		skip = strlen(old);
	name.p += skip;
	name.len -= skip;
	copy(out, size, &name);
}

static void
read_entry(struct json *j, struct aws_result results[AWS_BATCH_MAX], enum aws_state state)
{
	struct aws_entry e = {.id = ""};
	struct json_range value;
	struct json_str key;
	struct json_str str;

	json_enter(j, '{');
	while (json_member(j, &key) == 1) {
		if (json_peek(j) != '"') {
			if (json_skip(j, &value) == 0 && json_str_is(&key, "SenderFault"))
				e.error.sender_fault = *value.p == 't';
		} else if (json_string(j, &str) == 0) {
			if (json_str_is(&key, "Id"))
				copy(e.id, sizeof(e.id), &str);
			else if (json_str_is(&key, "Code"))
				copy_code(e.error.code, sizeof(e.error.code), &str);
			else if (json_str_is(&key, "Message"))
				copy(e.error.text, sizeof(e.error.text), &str);
		}
	}
	if (j->error == NULL)
		aws_answer_entry(results, &e, state);
}

static void
read_entries(struct json *j, struct aws_result results[AWS_BATCH_MAX], enum aws_state state)
{
	if (json_peek(j) != '[') { /* null, when there are none */
		json_skip(j, NULL);
		return;
	}
	json_enter(j, '[');
	while (json_element(j) == 1)
		read_entry(j, results, state);
}

static int
read_results(const char *text, size_t len, struct aws_result results[AWS_BATCH_MAX])
{
	struct json j;
	struct json_str key;

	memset(results, 0, AWS_BATCH_MAX * sizeof(*results));
	json_init(&j, text, len);
	json_enter(&j, '{');
	while (json_member(&j, &key) == 1) {
		if (json_str_is(&key, "Successful"))
			read_entries(&j, results, AWS_SENT);
		else if (json_str_is(&key, "Failed"))
			read_entries(&j, results, AWS_FAILED);
		else
			json_skip(&j, NULL);
	}
	return json_end(&j);
}

static void
read_error(const char *text, size_t len, struct aws_error *error)
{
	struct json j;
	struct json_str key;
	struct json_str str;

	*error = (struct aws_error){.code = ""};
	if (len > 0 && *text == '<') {
		aws_answer_error_xml(text, len, error);
		return;
	}
	json_init(&j, text, len);
	json_enter(&j, '{');
	while (json_member(&j, &key) == 1) {
		if (json_peek(&j) != '"')
			json_skip(&j, NULL);
		else if (json_string(&j, &str) == -1)
			break;
		else if (json_str_is(&key, "__type"))
			copy_code(error->code, sizeof(error->code), &str);
		else if (json_str_is(&key, "message") || json_str_is(&key, "Message"))
			copy(error->text, sizeof(error->text), &str);
	}
	if (json_end(&j) == -1)
		*error = (struct aws_error){.code = ""};
}

static size_t
read_limit(const char *text, size_t len)
{
	struct json j;
	struct json_str key;
	struct json_str str;
	char limit[24] = "";

	json_init(&j, text, len);
	json_enter(&j, '{');
	while (json_member(&j, &key) == 1) {
		if (!json_str_is(&key, "Attributes") || json_peek(&j) != '{') {
			json_skip(&j, NULL);
			continue;
		}
		json_enter(&j, '{');
		while (json_member(&j, &key) == 1)
			if (json_string(&j, &str) == 0 &&
			    json_str_is(&key, "MaximumMessageSize"))
				copy(limit, sizeof(limit), &str);
	}
	return json_end(&j) == 0 ? (size_t)strtoul(limit, NULL, 10) : 0;
}

static const char content_type[] = "Content-Type: application/x-amz-json-1.0";
static const char *const ask_headers[] = {
    content_type, "X-Amz-Target: AmazonSQS.GetQueueAttributes", NULL};
static const char *const send_headers[] = {
    content_type, "X-Amz-Target: AmazonSQS.SendMessageBatch", NULL};

const struct aws_service aws_sqs = {
    .name = "sqs",
    .message_max = (size_t)1024 * 1024,
    .request_max = (size_t)1024 * 1024,
    .ask_headers = ask_headers,
    .send_headers = send_headers,
    .ask = ask,
    .begin = begin,
    .add = add,
    .end = end,
    .read_limit = read_limit,
    .read_results = read_results,
    .read_error = read_error,
};
