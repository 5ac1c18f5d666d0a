/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that stand in the shared files, ~/.aws/credentials and ~/.aws/config. Source:
 * https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html */
#ifndef AWS_PROFILE_H
#define AWS_PROFILE_H

#include <stddef.h>

#include "aws_keys.h"

enum aws_profile {
	AWS_PROFILE_KEYS,
	AWS_PROFILE_NONE, /* nobody named a profile, and "default" has no keys */
	AWS_PROFILE_BAD,  /* why says what is wrong, for people */
};

/* The keys of the profile in AWS_PROFILE, else of "default"; the files are read anew. */
enum aws_profile aws_profile_read(struct aws_keys *keys, char *why, size_t why_size);

/* What a section says; owned, NULL what it does not. */
struct aws_section {
	char *access;
	char *secret;
	char *token;
};

/* Adds what the section of that name has and *to has not; text ends in a NUL. 0, or -1: out of
 * memory. */
int aws_profile_section(struct aws_section *to, const char *text, const char *name);
void aws_profile_section_free(struct aws_section *section);

#endif
