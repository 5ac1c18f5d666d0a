/* SPDX-License-Identifier: Apache-2.0 */
/* What requests are signed with. */
#ifndef AWS_KEYS_H
#define AWS_KEYS_H

#include <stddef.h>
#include <stdint.h>

/* All owned; all zero: none. */
struct aws_keys {
	char *access;
	char *secret;
	char *token;     /* NULL: none is needed */
	int64_t expires; /* Unix time; 0: not that anybody said */
};

/* Copies; token: NULL or "" for none. 0; or -1 with *why a literal, and there are none. */
int aws_keys_set(struct aws_keys *keys, const char *access, const char *secret,
    const char *token, const char **why);
void aws_keys_free(struct aws_keys *keys);

/* Reads what container and instance metadata answer. As aws_keys_set. */
int aws_keys_read_json(struct aws_keys *keys, const char *text, size_t len, const char **why);
/* Reads what STS answers. */
int aws_keys_read_xml(struct aws_keys *keys, const char *text, size_t len, const char **why);

#endif
