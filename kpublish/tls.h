/* SPDX-License-Identifier: Apache-2.0 */
/* How a server is spoken to by TLS. Source: https://docs.openssl.org/3.0/man7/ */
#ifndef TLS_H
#define TLS_H

#include <openssl/ssl.h>

#include "peer.h"

enum { TLS_WHY = 256 };

/* A client's TLS on this connected descriptor, which stays the caller's, with the certificates
 * as the files hold them now: for SSL_free(3). NULL with why: a file, and what is wrong. */
SSL *tls_open(const struct peer *peer, int fd, char why[TLS_WHY]);

/* The same check of the files, without a connection. 0, or -1 with why. */
int tls_check(const struct peer *peer, char why[TLS_WHY]);

/* Why a call that ended with result has failed, for people. error: of SSL_get_error(3); errno
 * is that of the call. */
void tls_explain(const struct peer *peer, const SSL *ssl, int error, char why[TLS_WHY]);

#endif
