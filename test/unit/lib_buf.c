/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "tap.h"

int
main(void)
{
	struct tap tap = {0};
	struct buf b;
	char *to;

	buf_init(&b, 1000);
	tap_ok(&tap, buf_add(&b, NULL, 0) == 0 && b.len == 0, "nothing can be added");
	tap_ok(&tap,
	    buf_addstr(&b, "hello ") == 0 && buf_printf(&b, "%d-%s", 42, "x") == 0 &&
		b.len == 10 && memcmp(b.data, "hello 42-x", 10) == 0,
	    "text is appended");
	tap_ok(&tap, buf_terminate(&b) == 0 && b.len == 10 && strcmp(b.data, "hello 42-x") == 0,
	    "a NUL is not counted");
	buf_consume(&b, 6);
	tap_ok(&tap, b.len == 4 && memcmp(b.data, "42-x", 4) == 0, "the front is dropped");
	buf_consume(&b, 4);
	tap_ok(&tap, b.len == 0, "all is dropped");
	to = buf_reserve(&b, 1000);
	tap_ok(&tap, to != NULL && b.len == 0, "as much as the cap");
	if (to != NULL)
		memset(to, 'x', 1000);
	b.len = 1000;
	errno = 0;
	tap_ok(&tap,
	    buf_add(&b, "y", 1) == -1 && errno == EFBIG && b.len == 1000 && b.data[999] == 'x',
	    "a byte over the cap is EFBIG and changes nothing");
	errno = 0;
	tap_ok(&tap, buf_reserve(&b, SIZE_MAX) == NULL && errno == EFBIG,
	    "no overflow in the sum");
	tap_ok(&tap, buf_printf(&b, "%s", "more") == -1 && buf_terminate(&b) == -1,
	    "nor by the other ways");
	b.len = 10;
	buf_shrink(&b, 100);
	tap_ok(&tap, b.size == 100 && b.len == 10 && memcmp(b.data, "xxxxxxxxxx", 10) == 0,
	    "memory is given back, what is in use stays");
	b.len = 100;
	buf_shrink(&b, 20);
	tap_ok(&tap, b.size == 100, "not below what is in use");
	buf_free(&b);
	tap_ok(&tap, b.data == NULL && buf_addstr(&b, "again") == 0 && b.len == 5,
	    "used again once freed");
	buf_free(&b);
	b = (struct buf){0};
	buf_free(&b);
	tap_ok(&tap, buf_add(&b, "x", 1) == -1, "a zeroed one holds nothing");
	return tap_done(&tap);
}
