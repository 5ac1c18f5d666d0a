/* SPDX-License-Identifier: Apache-2.0 */
/* Commits that are not synced are in the kernel's memory: they outlive the process, but not the
 * kernel, which may have written any part of them to the disk before it went. So a store is only
 * whole when it was synced at its end, or when the kernel is still the same. */
#ifndef STORE_BOOT_H
#define STORE_BOOT_H

#include "store_dir.h"

/* From now on commits are not synced. 0, or -1 with errno. */
int store_boot_mark(const struct store_dir *dir);
/* All is synced. 0, or -1 with errno. */
int store_boot_unmark(const struct store_dir *dir);
/* Has the kernel gone, since the mark was made, with what was not synced? */
bool store_boot_was_lost(const struct store_dir *dir);

#endif
