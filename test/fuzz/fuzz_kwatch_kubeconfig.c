/* SPDX-License-Identifier: Apache-2.0 */
/* A kubeconfig of any bytes is read or refused, and never more. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kwatch/kubeconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct log quiet = {.tool = "fuzz", .fd = -1};
	struct cluster cluster = {.log = &quiet};
	char path[64];
	int fd = memfd_create("kubeconfig", MFD_CLOEXEC);

	if (fd == -1)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, size) == (ssize_t)size &&
	    kubeconfig_load(&cluster, path, true, NULL) == 0) {
		/* No file that the input names is opened. */
		if (cluster.ca.file == NULL && cluster.cert.file == NULL &&
		    cluster.key.file == NULL && cluster.token.file == NULL)
			(void)cluster_prepare(&cluster);
	}
	cluster_free(&cluster);
	close(fd);
	return 0;
}
