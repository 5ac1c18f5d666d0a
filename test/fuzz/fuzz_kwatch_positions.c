/* SPDX-License-Identifier: Apache-2.0 */
/* A --resume file of any bytes is read or refused; what is read has all its parts. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kwatch/positions.h"
#include "tool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct position *p)
{
	assert(strncmp(p->name, "/api", 4) == 0 && strchr(p->version, '\t') == NULL);
	assert(*p->type.version != '\0' && *p->type.resource != '\0');
	assert(strchr(p->type.resource, '/') == NULL && strchr(p->ns, '/') == NULL);
	assert(strlen(p->selectors) < strlen(p->name) && p->type.kind != NULL && !p->done);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct log quiet = {.tool = "fuzz", .fd = -1};
	struct positions positions = {.list = NULL};
	char path[64];
	int fd = memfd_create("positions", MFD_CLOEXEC);

	if (fd == -1)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, size) == (ssize_t)size &&
	    positions_read(&positions, path, &quiet) == EXIT_OK)
		for (size_t i = 0; i < positions.n; i++)
			check(&positions.list[i]);
	positions_free(&positions);
	close(fd);
	return 0;
}
