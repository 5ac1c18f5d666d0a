/* SPDX-License-Identifier: Apache-2.0 */
/* A byte stream to a host: look-up, TCP, and TLS if wanted, none of which blocks. */
#ifndef AZURESB_STREAM_H
#define AZURESB_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct azuresb_stream;

enum azuresb_stream_state {
	AZURESB_STREAM_WAIT,   /* call again when the fd is readable, or a second later */
	AZURESB_STREAM_READY,  /* it can be read and written */
	AZURESB_STREAM_FAILED, /* azuresb_stream_why says why */
};

/* host and port are borrowed until close. NULL with errno. */
struct azuresb_stream *azuresb_stream_open(const char *host, const char *port, bool tls);
/* Takes NULL. */
void azuresb_stream_close(struct azuresb_stream *s);

/* Goes on with connecting; one address that does not answer in five seconds gives way to the
 * next. */
enum azuresb_stream_state azuresb_stream_connect(struct azuresb_stream *s);

/* Readable (poll) when there is something to do: input, or room for output that was refused. */
int azuresb_stream_fd(const struct azuresb_stream *s);

/* The number of bytes; 0: none now; -1: it has ended or failed. */
ssize_t azuresb_stream_read(struct azuresb_stream *s, char *to, size_t size);
ssize_t azuresb_stream_write(struct azuresb_stream *s, const char *from, size_t len);

/* What has gone wrong, HOST:PORT included. */
const char *azuresb_stream_why(const struct azuresb_stream *s);

/* For people: what it is waiting for while it connects. */
const char *azuresb_stream_doing(const struct azuresb_stream *s);

#endif
