/* SPDX-License-Identifier: Apache-2.0 */
/* Values in protobuf's JSON mapping: https://protobuf.dev/programming-guides/json/ */
#ifndef PRINT_H
#define PRINT_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* Each appends to the buffer: 0, or -1 as buf_add. */

/* A string in quotes; what is not UTF-8 becomes U+FFFD. */
int print_string(struct buf *to, const char *text);
/* Bytes in base64, in quotes. */
int print_base64(struct buf *to, const uint8_t *bytes, size_t len);
/* Bytes that hold one JSON value, as that value on one line; others in base64. */
int print_json(struct buf *to, const uint8_t *bytes, size_t len);
/* A google.protobuf.Timestamp, in quotes; one out of range as it is: "SECONDS.NANOS". */
int print_time(struct buf *to, int64_t seconds, int32_t nanos);

#endif
