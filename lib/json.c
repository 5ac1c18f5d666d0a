/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <string.h>

#include "json_skip.h"

void
json_init(struct json *j, const char *text, size_t len)
{
	*j = (struct json){.start = text, .p = text, .end = text + len};
}

int
json_fail(struct json *j, const char *why)
{
	if (j->error == NULL)
		j->error = why;
	return -1;
}

static void
white_space(struct json *j)
{
	while (
	    j->p < j->end && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n' || *j->p == '\r'))
		j->p++;
}

char
json_peek(struct json *j)
{
	if (j->error != NULL)
		return 0;
	white_space(j);
	return j->p < j->end ? *j->p : 0;
}

int
json_enter(struct json *j, char bracket)
{
	if (json_peek(j) != bracket)
		return json_fail(
		    j, bracket == '{' ? "expected an object" : "expected an array");
	j->p++;
	j->first = true;
	return 0;
}

/* Before a member or element: 1 when there is one, 0 behind the closing bracket. */
static int
next_item(struct json *j, char close)
{
	char c = json_peek(j);

	if (c == close) {
		j->p++;
		j->first = false;
		return 0;
	}
	if (j->first) {
		j->first = false;
		return j->error != NULL ? -1 : 1;
	}
	if (c != ',')
		return json_fail(
		    j, j->p == j->end ? "ends within a value" : "expected a comma or the end");
	j->p++;
	return 1;
}

int
json_member(struct json *j, struct json_str *key)
{
	int more = next_item(j, '}');

	if (more != 1)
		return more;
	if (json_string(j, key) == -1)
		return -1;
	if (json_peek(j) != ':')
		return json_fail(j, "expected a colon");
	j->p++;
	return 1;
}

int
json_element(struct json *j)
{
	int more = next_item(j, ']');

	if (more == 1 && json_peek(j) == 0 && j->p == j->end)
		return json_fail(j, "ends within a value");
	return more;
}

int
json_string(struct json *j, struct json_str *str)
{
	if (json_peek(j) != '"')
		return json_fail(
		    j, j->p == j->end ? "ends within a value" : "expected a string");
	j->p++;
	str->p = j->p;
	if (json_skip_string(j, &str->escaped) == -1)
		return -1;
	str->len = (size_t)(j->p - str->p) - 1;
	return 0;
}

static size_t
digits(const char *p, const char *end)
{
	const char *begin = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return (size_t)(p - begin);
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static int
skip_number(struct json *j)
{
	const char *p = j->p;
	size_t n;

	if (*p == '-')
		p++;
	n = digits(p, j->end);
	if (n == 0 || (n > 1 && *p == '0'))
		return json_fail(j, "invalid value");
	p += n;
	if (p < j->end && *p == '.') {
		n = digits(p + 1, j->end);
		if (n == 0)
			return json_fail(j, "invalid number");
		p += 1 + n;
	}
	if (p < j->end && (*p | 0x20) == 'e') {
		p++;
		if (p < j->end && (*p == '+' || *p == '-'))
			p++;
		n = digits(p, j->end);
		if (n == 0)
			return json_fail(j, "invalid number");
		p += n;
	}
	j->p = p;
	return 0;
}

static int
skip_literal(struct json *j, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(j->end - j->p) < n || memcmp(j->p, word, n) != 0)
		return json_fail(j, "invalid value");
	j->p += n;
	return 0;
}

int
json_skip(struct json *j, struct json_range *range)
{
	char c = json_peek(j);
	const char *begin = j->p;
	struct json_str str;
	int result;

	switch (c) {
	case '{':
	case '[':
		result = json_skip_container(j);
		break;
	case '"':
		result = json_string(j, &str);
		break;
	case 't':
		result = skip_literal(j, "true");
		break;
	case 'f':
		result = skip_literal(j, "false");
		break;
	case 'n':
		result = skip_literal(j, "null");
		break;
	case 0:
		if (j->p == j->end) {
			result = json_fail(j, "ends within a value");
			break;
		}
		/* fallthrough */
	default:
		result = j->error != NULL ? -1 : skip_number(j);
	}
	if (result == 0 && range != NULL)
		*range = (struct json_range){begin, (size_t)(j->p - begin)};
	return result;
}

int
json_end(struct json *j)
{
	if (j->error != NULL)
		return -1;
	white_space(j);
	if (j->p != j->end)
		return json_fail(j, "more follows the value");
	if (j->high && !json_utf8_valid(j->start, (size_t)(j->end - j->start))) {
		return json_fail(j, "invalid UTF-8");
	}
	return 0;
}
