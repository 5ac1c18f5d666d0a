/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 256 };

void
buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){.max = max};
}

void
buf_free(struct buf *buf)
{
	free(buf->data);
	buf->data = NULL;
	buf->len = buf->size = 0;
}

char *
buf_reserve(struct buf *buf, size_t n)
{
	size_t size = buf->size > 0 ? buf->size : FIRST_SIZE;
	char *data;

	if (n > buf->max || buf->len > buf->max - n) {
		errno = EFBIG;
		return NULL;
	}
	if (buf->data != NULL && buf->len + n <= buf->size)
		return buf->data + buf->len;
	while (size < buf->len + n)
		size *= 2;
	data = realloc(buf->data, size);
	if (data == NULL)
		return NULL;
	buf->data = data;
	buf->size = size;
	return buf->data + buf->len;
}

int
buf_add(struct buf *buf, const void *bytes, size_t n)
{
	char *to = buf_reserve(buf, n);

	if (to == NULL)
		return -1;
	if (n > 0)
		memcpy(to, bytes, n);
	buf->len += n;
	return 0;
}

int
buf_addstr(struct buf *buf, const char *text)
{
	return buf_add(buf, text, strlen(text));
}

int
buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;
	int n;
	char *to;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -1;
	to = buf_reserve(buf, (size_t)n + 1);
	if (to == NULL)
		return -1;
	va_start(ap, fmt);
	vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	buf->len += (size_t)n;
	return 0;
}

int
buf_terminate(struct buf *buf)
{
	char *to = buf_reserve(buf, 1);

	if (to == NULL)
		return -1;
	*to = '\0';
	return 0;
}

void
buf_consume(struct buf *buf, size_t n)
{
	assert(n <= buf->len);
	buf->len -= n;
	if (n > 0 && buf->len > 0)
		memmove(buf->data, buf->data + n, buf->len);
}

void
buf_shrink(struct buf *buf, size_t keep)
{
	char *data;

	if (buf->size / 4 <= keep || buf->len > keep || keep == 0)
		return;
	data = realloc(buf->data, keep);
	if (data != NULL) {
		buf->data = data;
		buf->size = keep;
	}
}
