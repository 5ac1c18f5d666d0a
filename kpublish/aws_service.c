/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_service.h"

#include <string.h>

#include "aws_text.h"

enum { TEXT_SIZE_MAX = 1024 * 1024 };

int
aws_service_size(const struct message *m, size_t *size)
{
	size_t types = (m->n_attributes + 1) * strlen("String");
	struct buf text;
	int bad;

	_Static_assert(ATTRIBUTES_MAX + 1 <= 10, "more would be refused");
	buf_init(&text, TEXT_SIZE_MAX);
	bad = buf_addstr(&text, "base64encodedtrue");
	for (size_t i = 0; i < m->n_attributes && bad == 0; i++)
		bad = aws_text_name(&text, m->attributes[i].name) |
		      aws_text_value(&text, m->attributes[i].value);
	*size = aws_text_base64_len(m->len) + types + text.len;
	buf_free(&text);
	return bad;
}
