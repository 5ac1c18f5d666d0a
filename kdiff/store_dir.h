/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of a store that outlives its process, and the small files beside the store:
 *	lock      locked while the directory is in use: LMDB's own locking is off
 *	seq       a number above every seq that has been given out
 *	unsynced  there while not every commit reaches the disk: the kernel's boot id
 *	damaged   there once something in the store has made no sense
 * Each is written whole and synced before anything follows from it. */
#ifndef STORE_DIR_H
#define STORE_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"

enum { STORE_DIR_TEXT = 64 }; /* bytes that such a file may have */

struct store_dir {
	int fd;      /* the directory; -1: it is not open */
	int lock_fd; /* its lock; -1: likewise */
};

/* Opens the directory (makes it when missing, if make) and locks it. 0, or -1 with a message. */
int store_dir_open(struct store_dir *dir, const struct log *log, const char *path, bool make);
void store_dir_close(struct store_dir *dir);

bool store_dir_has(const struct store_dir *dir, const char *name);
/* The file's text; false when there is none, or it is too long. */
bool store_dir_read(const struct store_dir *dir, const char *name, char text[STORE_DIR_TEXT]);
/* Writes the file whole, in place of one that is there. 0, or -1 with errno. */
int store_dir_write(const struct store_dir *dir, const char *name, const char *text);
int store_dir_remove(const struct store_dir *dir, const char *name);
/* What was made, renamed or removed survives a loss of power. 0, or -1 with errno. */
int store_dir_sync(const struct store_dir *dir);

/* Renames the store to store.mdb.damaged-TIME, which is put into name. 0, or -1 with errno. */
int store_dir_set_aside(const struct store_dir *dir, char name[STORE_DIR_TEXT]);

#endif
