/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* What OpenSSL said first: what it says behind is where it was then. */
static const char *
reason(void)
{
	unsigned long error = ERR_peek_error();
	const char *text = ERR_reason_error_string(error);

	if (ERR_SYSTEM_ERROR(error))
		return strerror(ERR_GET_REASON(error));
	if (ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER)
		return "the server does not speak it here";
	return text != NULL ? text : "no reason known";
}

/* One of the files that the parameters name. */
static int
loaded(int ok, const char *param, const char *file, char why[TLS_WHY])
{
	if (ok == 1)
		return 0;
	snprintf(why, TLS_WHY, "%s %s: %s", param, file, reason());
	return -1;
}

static int
load_files(SSL_CTX *ctx, const struct peer *peer, char why[TLS_WHY])
{
	const char *key = peer->keyfile != NULL ? peer->keyfile : peer->certfile;

	if (peer->cacertfile == NULL)
		SSL_CTX_set_default_verify_paths(ctx);
	else if (loaded(SSL_CTX_load_verify_locations(ctx, peer->cacertfile, NULL),
		     "cacertfile", peer->cacertfile, why) == -1)
		return -1;
	if (peer->certfile == NULL)
		return 0;
	if (loaded(SSL_CTX_use_certificate_chain_file(ctx, peer->certfile), "certfile",
		peer->certfile, why) == -1)
		return -1;
	return loaded(
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM), "keyfile", key, why);
}

/* A key that wants a pass phrase is an error; by default OpenSSL would ask the terminal. */
static int
no_pass_phrase(char *to, int size, int for_writing, void *arg)
{
	(void)to;
	(void)size;
	(void)for_writing;
	(void)arg;
	return -1;
}

static SSL_CTX *
make_context(const struct peer *peer, char why[TLS_WHY])
{
	SSL_CTX *ctx;

	ERR_clear_error();
	ctx = SSL_CTX_new(TLS_client_method());
	if (ctx == NULL) {
		snprintf(why, TLS_WHY, "OpenSSL: %s", reason());
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_default_passwd_cb(ctx, no_pass_phrase);
	SSL_CTX_set_verify(ctx, peer->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (load_files(ctx, peer, why) == -1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

static bool
is_address(const char *name)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, name, address) == 1 ||
	       inet_pton(AF_INET6, name, address) == 1;
}

/* Whose certificate it must be. SNI is for names alone: RFC 6066, 3. */
static int
expect_name(SSL *ssl, const char *name)
{
	void *sni;

	if (is_address(name))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	memcpy(
	    &sni, &name, sizeof(sni)); /* OpenSSL's macro casts the const away; it is copied */
	return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, sni) == 1;
}

SSL *
tls_open(const struct peer *peer, int fd, char why[TLS_WHY])
{
	SSL_CTX *ctx = make_context(peer, why);
	SSL *ssl;

	if (ctx == NULL)
		return NULL;
	ssl = SSL_new(ctx); /* which holds the context from here on */
	SSL_CTX_free(ctx);
	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 || expect_name(ssl, peer->name) != 1) {
		snprintf(why, TLS_WHY, "OpenSSL: %s", reason());
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_connect_state(ssl);
	return ssl;
}

int
tls_check(const struct peer *peer, char why[TLS_WHY])
{
	SSL_CTX *ctx = make_context(peer, why);

	SSL_CTX_free(ctx);
	return ctx == NULL ? -1 : 0;
}

void
tls_explain(const struct peer *peer, const SSL *ssl, int error, char why[TLS_WHY])
{
	long verified = SSL_get_verify_result(ssl);
	int code = errno;

	if (peer->verify && (verified == X509_V_ERR_HOSTNAME_MISMATCH ||
				verified == X509_V_ERR_IP_ADDRESS_MISMATCH))
		snprintf(
		    why, TLS_WHY, "the server's certificate is not one for \"%s\"", peer->name);
	else if (peer->verify && verified != X509_V_OK)
		snprintf(why, TLS_WHY, "the server's certificate is not trusted: %s",
		    X509_verify_cert_error_string(verified));
	else if (error == SSL_ERROR_SSL)
		snprintf(why, TLS_WHY, "TLS: %s", reason());
	else if (error == SSL_ERROR_SYSCALL && code != 0)
		snprintf(why, TLS_WHY, "TLS: %s", strerror(code));
	else
		snprintf(why, TLS_WHY, "the server closed the connection");
}
