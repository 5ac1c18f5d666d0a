/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to and from a server, by TCP or TLS. Nothing here blocks. */
#ifndef STREAM_H
#define STREAM_H

#include <stddef.h>
#include <sys/types.h>

#include "buf.h"
#include "peer.h"

struct stream;

/* Begins to connect. peer is borrowed until close. NULL with errno. */
struct stream *stream_open(const struct peer *peer);
/* Takes NULL. */
void stream_close(struct stream *s);

/* Readable when one of the functions below has something to do. */
int stream_fd(const struct stream *s);

/* Goes on connecting. 1: connected; 0: not yet; -1: it cannot be, see stream_why. */
int stream_connect(struct stream *s);

/* Once connected: so many bytes; 0: none now; -1: it has ended. */
ssize_t stream_read(struct stream *s, void *to, size_t size);

/* Writes at once, past the buffer: so many bytes; 0: none now; -1: it has ended. */
ssize_t stream_write(struct stream *s, const void *from, size_t size);

/* What is to be written is appended here, and goes out with flush as far as the server takes
 * it; the rest when the descriptor calls. -1: it has ended. */
struct buf *stream_out(struct stream *s);
int stream_flush(struct stream *s);
/* Bytes that have not gone out. */
size_t stream_pending(const struct stream *s);

/* For people: what it waits for while it connects. */
const char *stream_doing(const struct stream *s);
/* After -1: what was wrong, for people. */
const char *stream_why(const struct stream *s);

#endif
