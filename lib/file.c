/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "buf.h"

char *
file_read(const char *path, size_t max, size_t *len)
{
	struct buf buf;
	ssize_t n = -1;
	char *to;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return NULL;
	buf_init(&buf, max);
	while ((to = buf_reserve(&buf, 4096)) != NULL && (n = read(fd, to, 4095)) > 0)
		buf.len += (size_t)n;
	close(fd);
	if (to == NULL || n == -1 || buf_terminate(&buf) == -1) {
		int saved = errno;

		buf_free(&buf);
		errno = saved;
		return NULL;
	}
	*len = buf.len;
	return buf.data;
}
