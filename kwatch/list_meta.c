/* SPDX-License-Identifier: Apache-2.0 */
#include "list_meta.h"

int
list_meta_read(struct list_meta *meta, const char *text, size_t len)
{
	struct json j;
	struct json_str key;

	*meta = (struct list_meta){.kind = {.p = NULL}};
	json_init(&j, text, len);
	json_enter(&j, '{');
	while (json_member(&j, &key) == 1) {
		if (json_str_is(&key, "kind")) {
			json_string(&j, &meta->kind);
		} else if (json_str_is(&key, "metadata") && json_peek(&j) == '{') {
			json_enter(&j, '{');
			while (json_member(&j, &key) == 1) {
				if (json_str_is(&key, "resourceVersion"))
					json_string(&j, &meta->version);
				else if (json_str_is(&key, "continue"))
					json_string(&j, &meta->next);
				else
					json_skip(&j, NULL);
			}
		} else {
			json_skip(&j, NULL);
		}
	}
	return json_end(&j);
}
