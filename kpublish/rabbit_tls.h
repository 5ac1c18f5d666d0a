/* SPDX-License-Identifier: Apache-2.0 */
/* How a broker is spoken to by TLS. Source: https://docs.openssl.org/3.0/man7/ */
#ifndef RABBIT_TLS_H
#define RABBIT_TLS_H

#include <openssl/ssl.h>

#include "rabbit_url.h"

enum { RABBIT_TLS_WHY = 256 };

/* A client's TLS on this connected descriptor, which stays the caller's, with the certificates
 * as the files hold them now: for SSL_free(3). NULL with why: a file, and what is wrong. */
SSL *rabbit_tls_open(const struct rabbit_server *server, int fd, char why[RABBIT_TLS_WHY]);

/* The same check of the files, without a connection. 0, or -1 with why. */
int rabbit_tls_check(const struct rabbit_server *server, char why[RABBIT_TLS_WHY]);

/* Why a call that ended with result has failed, for people. error: of SSL_get_error(3); errno
 * is that of the call. */
void rabbit_tls_explain(
    const struct rabbit_server *server, const SSL *ssl, int error, char why[RABBIT_TLS_WHY]);

#endif
