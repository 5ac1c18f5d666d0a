/* SPDX-License-Identifier: Apache-2.0 */
/* What the two buses that write frames, file: and stdout:, have in common. */
#ifndef BUS_FILE_H
#define BUS_FILE_H

#include "bus.h"
#include "framefile.h"

/* The operations of struct bus on a file; takes the file. path: where it is, NULL of standard
 * output. NULL with a message. */
void *bus_file_wrap(struct framefile *file, const char *path, const struct url *url,
    const struct bus_owner *owner, int *exit_code);
enum bus_send bus_file_send(void *bus, struct message *m);
int bus_file_flush(void *bus);
int bus_file_nothing(void *bus); /* fd and timeout_ms: -1 */
int bus_file_work(void *bus);
void bus_file_close(void *bus);

#endif
