/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FILE_H
#define FILE_H

#include <stddef.h>

/* All of a file, or of a pipe until its end (blocks for it): memory of the caller's with a NUL
 * behind its *len bytes. NULL with errno; EFBIG: it has more than max bytes. */
char *file_read(const char *path, size_t max, size_t *len);

#endif
