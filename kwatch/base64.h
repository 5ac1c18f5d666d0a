/* SPDX-License-Identifier: Apache-2.0 */
/* The base64 of a kubeconfig's certificates and keys. */
#ifndef BASE64_H
#define BASE64_H

#include <stddef.h>

/* Decodes base64 (RFC 4648, white space passed over) in place of a NUL-terminated text: memory
 * of the caller's, *len bytes and a NUL. NULL: it is none, or out of memory. */
char *base64_decode(const char *text, size_t *len);

#endif
