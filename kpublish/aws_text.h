/* SPDX-License-Identifier: Apache-2.0 */
/* Texts in the forms that SQS and SNS take, and gocloud.dev's consumers of them read.
 * Source: https://github.com/google/go-cloud/blob/v0.23.0/pubsub/awssnssqs/awssnssqs.go */
#ifndef AWS_TEXT_H
#define AWS_TEXT_H

#include <stddef.h>

#include "buf.h"

/* A MessageGroupId or MessageDeduplicationId: at most 128 characters, and a NUL. */
enum { AWS_ID_SIZE = 129 };

/* The length of n bytes in base64. */
size_t aws_text_base64_len(size_t n);

/* Each appends. 0, or -1 as buf_add. */

/* Base64 with padding (RFC 4648); n is at most INT_MAX. */
int aws_text_base64(struct buf *to, const void *bytes, size_t n);
/* The same in a form (application/x-www-form-urlencoded). */
int aws_text_base64_form(struct buf *to, const void *bytes, size_t n);

/* An attribute's name: what is none of A-Z a-z 0-9 _ - or a . that is neither the first nor
 * behind another becomes __0xHEX__. name is UTF-8. */
int aws_text_name(struct buf *to, const char *name);
/* An attribute's value: as Go's url.PathEscape. What it makes is plain in JSON too. */
int aws_text_value(struct buf *to, const char *value);

/* An id for a FIFO queue or topic: the text itself where it is one, else its SHA-256. 0, or -1:
 * out of memory. */
int aws_text_id(char id[AWS_ID_SIZE], const char *text, size_t len);

#endif
