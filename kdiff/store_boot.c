/* SPDX-License-Identifier: Apache-2.0 */
#include "store_boot.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char name[] = "unsynced";

/* What tells this life of the kernel from any other; where it tells nothing, no two are the same.
 */
static void
boot_id(char id[STORE_DIR_TEXT])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	if (fd != -1) {
		n = read(fd, id, STORE_DIR_TEXT - 1);
		(void)close(fd);
	}
	id[n > 0 ? n : 0] = '\0';
}

int
store_boot_mark(const struct store_dir *d)
{
	char id[STORE_DIR_TEXT];

	boot_id(id);
	return store_dir_write(d, name, id);
}

int
store_boot_unmark(const struct store_dir *d)
{
	return store_dir_remove(d, name);
}

bool
store_boot_was_lost(const struct store_dir *d)
{
	char then[STORE_DIR_TEXT];
	char now[STORE_DIR_TEXT];

	if (!store_dir_has(d, name))
		return false;
	boot_id(now);
	return !store_dir_read(d, name, then) || now[0] == '\0' || strcmp(then, now) != 0;
}
