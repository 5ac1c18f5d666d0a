/* SPDX-License-Identifier: Apache-2.0 */
/* TLS on a non-blocking socket, by OpenSSL. Not by proton, which has it too: that says of every
 * certificate that it does not like the same thing, takes none for an IP address, and writes
 * 4 KiB at a time. */
#ifndef AZURESB_TLS_H
#define AZURESB_TLS_H

#include <stddef.h>
#include <sys/types.h>

struct azuresb_tls;

/* What is to be waited for before the same call can be made again; the results below that are
 * neither a number of bytes nor 0. */
enum {
	AZURESB_TLS_FAILED = -1, /* why has been filled in */
	AZURESB_TLS_READ = -2,   /* until the socket can be read */
	AZURESB_TLS_WRITE = -3,  /* or written */
};

enum { AZURESB_TLS_WHY = 256 };

/* A client on the socket, which stays the caller's. The certificate must be good for host, a name
 * or an IP address, by the CAs in SSL_CERT_FILE or SSL_CERT_DIR, else the system's. NULL with
 * why. */
struct azuresb_tls *azuresb_tls_open(int fd, const char *host, char why[AZURESB_TLS_WHY]);
/* Takes NULL. */
void azuresb_tls_close(struct azuresb_tls *tls);

/* 0: done; else one of the above. */
int azuresb_tls_handshake(struct azuresb_tls *tls, char why[AZURESB_TLS_WHY]);

/* The number of bytes, 0: the other side has ended it (read), or one of the above. */
ssize_t azuresb_tls_read(
    struct azuresb_tls *tls, char *to, size_t size, char why[AZURESB_TLS_WHY]);
ssize_t azuresb_tls_write(
    struct azuresb_tls *tls, const char *from, size_t len, char why[AZURESB_TLS_WHY]);

#endif
