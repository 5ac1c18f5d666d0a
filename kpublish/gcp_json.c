/* SPDX-License-Identifier: Apache-2.0 */
#include "gcp_json.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "text.h"

/* Goes to the value of the member, of the last where it comes twice. -1: there is none. */
static int
find(const char *text, size_t len, const char *member, struct json_range *value)
{
	struct json_range range;
	struct json_str key;
	struct json j;

	*value = (struct json_range){NULL, 0};
	json_init(&j, text, len);
	json_enter(&j, '{');
	while (json_member(&j, &key) == 1) {
		json_skip(&j, &range);
		if (json_str_is(&key, member))
			*value = range;
	}
	return json_end(&j) == 0 && value->p != NULL ? 0 : -1;
}

char *
gcp_json_get(const char *text, size_t len, const char *first, const char *second)
{
	struct json_range value;
	struct json_str str;
	struct json j;

	if (find(text, len, first, &value) == -1 ||
	    (second != NULL && find(value.p, value.len, second, &value) == -1))
		return NULL;
	json_init(&j, value.p, value.len);
	if (json_peek(&j) == '"')
		return json_string(&j, &str) == 0 ? text_dup(&str) : NULL;
	return json_peek(&j) == 'n' ? NULL : strndup(value.p, value.len);
}

int
gcp_json_count(const char *text, size_t len, const char *member)
{
	struct json_range value;
	struct json_str str;
	struct json j;
	int n = 0;

	if (find(text, len, member, &value) == -1)
		return -1;
	json_init(&j, value.p, value.len);
	json_enter(&j, '[');
	while (json_element(&j) == 1) {
		json_string(&j, &str);
		n++;
	}
	return json_end(&j) == 0 ? n : -1;
}
