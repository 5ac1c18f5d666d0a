/* SPDX-License-Identifier: Apache-2.0 */
#include "azuresb_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct azuresb_tls {
	SSL_CTX *ctx;
	SSL *ssl;
};

/* What OpenSSL has to say about what has just gone wrong. */
static void
explain(char why[AZURESB_TLS_WHY], const char *what)
{
	int saved = errno;
	unsigned long error = ERR_get_error();
	const char *reason = error != 0 ? ERR_reason_error_string(error) : NULL;

	if (reason == NULL)
		reason = saved != 0 ? strerror(saved) : "the connection was closed";
	snprintf(why, AZURESB_TLS_WHY, "%s: %s", what, reason);
	ERR_clear_error();
}

/* Whom the certificate is to be for. An IP address is no server name in the handshake:
 * RFC 6066, 3. */
static int
expect(SSL *ssl, const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];
	char *name;

	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	memcpy(&name, &host, sizeof(name)); /* the macro wants no const, and copies */
	return SSL_set1_host(ssl, host) && SSL_set_tlsext_host_name(ssl, name);
}

struct azuresb_tls *
azuresb_tls_open(int fd, const char *host, char why[AZURESB_TLS_WHY])
{
	struct azuresb_tls *tls = calloc(1, sizeof(*tls));

	errno = ENOMEM;
	if (tls == NULL)
		goto failed;
	ERR_clear_error();
	tls->ctx = SSL_CTX_new(TLS_client_method());
	if (tls->ctx == NULL)
		goto failed;
	SSL_CTX_set_min_proto_version(tls->ctx, TLS1_2_VERSION);
	SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER, NULL);
	/* What is not written at once may have moved when it is. */
	SSL_CTX_set_mode(
	    tls->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (!SSL_CTX_set_default_verify_paths(tls->ctx))
		goto failed;
	tls->ssl = SSL_new(tls->ctx);
	if (tls->ssl == NULL || !expect(tls->ssl, host) || !SSL_set_fd(tls->ssl, fd))
		goto failed;
	return tls;
failed:
	explain(why, "cannot begin TLS");
	azuresb_tls_close(tls);
	return NULL;
}

void
azuresb_tls_close(struct azuresb_tls *tls)
{
	if (tls == NULL)
		return;
	if (tls->ssl != NULL && SSL_is_init_finished(tls->ssl))
		SSL_shutdown(tls->ssl); /* says that it ends, and does not wait for an answer */
	SSL_free(tls->ssl);
	SSL_CTX_free(tls->ctx);
	ERR_clear_error();
	free(tls);
}

/* The result of a call that has not succeeded; ended: what that is when the other side has ended
 * it in order. */
static int
result(struct azuresb_tls *tls, int returned, int ended, const char *what,
    char why[AZURESB_TLS_WHY])
{
	switch (SSL_get_error(tls->ssl, returned)) {
	case SSL_ERROR_WANT_READ:
		return AZURESB_TLS_READ;
	case SSL_ERROR_WANT_WRITE:
		return AZURESB_TLS_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		snprintf(why, AZURESB_TLS_WHY, "the connection was closed");
		return ended;
	default:
		explain(why, what);
		return AZURESB_TLS_FAILED;
	}
}

int
azuresb_tls_handshake(struct azuresb_tls *tls, char why[AZURESB_TLS_WHY])
{
	int n;
	long verified;

	ERR_clear_error();
	errno = 0;
	n = SSL_connect(tls->ssl);
	if (n == 1)
		return 0;
	n = result(tls, n, AZURESB_TLS_FAILED, "the TLS handshake failed", why);
	verified = SSL_get_verify_result(tls->ssl);
	if (n == AZURESB_TLS_FAILED && verified != X509_V_OK)
		snprintf(why, AZURESB_TLS_WHY, "its certificate is not to be trusted: %s",
		    X509_verify_cert_error_string(verified));
	return n;
}

ssize_t
azuresb_tls_read(struct azuresb_tls *tls, char *to, size_t size, char why[AZURESB_TLS_WHY])
{
	int n;

	ERR_clear_error();
	errno = 0;
	n = SSL_read(tls->ssl, to, size > INT_MAX ? INT_MAX : (int)size);
	return n > 0 ? n : result(tls, n, 0, "cannot read", why);
}

ssize_t
azuresb_tls_write(
    struct azuresb_tls *tls, const char *from, size_t len, char why[AZURESB_TLS_WHY])
{
	int n;

	ERR_clear_error();
	errno = 0;
	n = SSL_write(tls->ssl, from, len > INT_MAX ? INT_MAX : (int)len);
	return n > 0 ? n : result(tls, n, AZURESB_TLS_FAILED, "cannot write", why);
}
