/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to and from a broker, by TCP or TLS. Nothing here blocks. */
#ifndef RABBIT_STREAM_H
#define RABBIT_STREAM_H

#include <stddef.h>
#include <sys/types.h>

#include "buf.h"
#include "rabbit_url.h"

struct rabbit_stream;

/* Begins to connect. server is borrowed until close. NULL with errno. */
struct rabbit_stream *rabbit_stream_open(const struct rabbit_server *server);
/* Takes NULL. */
void rabbit_stream_close(struct rabbit_stream *s);

/* Readable when one of the functions below has something to do. */
int rabbit_stream_fd(const struct rabbit_stream *s);

/* Goes on connecting. 1: connected; 0: not yet; -1: it cannot be, see rabbit_stream_why. */
int rabbit_stream_connect(struct rabbit_stream *s);

/* Once connected: so many bytes; 0: none now; -1: it has ended. */
ssize_t rabbit_stream_read(struct rabbit_stream *s, void *to, size_t size);

/* What is to be written is appended here, and goes out with flush as far as the broker takes
 * it; the rest when the descriptor calls. -1: it has ended. */
struct buf *rabbit_stream_out(struct rabbit_stream *s);
int rabbit_stream_flush(struct rabbit_stream *s);
/* Bytes that have not gone out. */
size_t rabbit_stream_pending(const struct rabbit_stream *s);

/* After -1: what was wrong, for people. */
const char *rabbit_stream_why(const struct rabbit_stream *s);

#endif
