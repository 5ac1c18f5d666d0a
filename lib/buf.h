/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer with a mandatory cap: nothing from outside grows without end. */
#ifndef BUF_H
#define BUF_H

#include <stddef.h>

struct buf {
	char *data;
	size_t len;  /* bytes in use, at data */
	size_t size; /* bytes allocated */
	size_t max;  /* len never passes this */
};

/* An empty buffer that allocates when first added to. max: the cap in bytes. */
void buf_init(struct buf *buf, size_t max);
/* Frees the bytes; the buffer may be added to again. A zeroed struct is fine. */
void buf_free(struct buf *buf);

/* Room for n more bytes behind len: returns where they go, or NULL with errno EFBIG
 * (over the cap) or ENOMEM; the contents are kept. Pointers into the buffer move. The caller
 * adds what it wrote to len. */
char *buf_reserve(struct buf *buf, size_t n);

/* Each appends a copy. 0, or -1 as buf_reserve. */
int buf_add(struct buf *buf, const void *bytes, size_t n);
int buf_addstr(struct buf *buf, const char *text);
int buf_printf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Appends a NUL that len does not count, so that data can be used as a string. */
int buf_terminate(struct buf *buf);

/* Drops the first n bytes (n <= len), moving the rest to the front. */
void buf_consume(struct buf *buf, size_t n);

/* Gives memory back when much more than keep bytes is allocated and len fits in keep. */
void buf_shrink(struct buf *buf, size_t keep);

#endif
