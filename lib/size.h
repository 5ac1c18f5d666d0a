/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes as people write them. */
#ifndef SIZE_H
#define SIZE_H

#include <stdbool.h>
#include <stdint.h>

/* A number of bytes, or of units of 1,024 and its powers: 500, 64K, 100MiB, 2G, 1TiB. False: it
 * is none of these, or beyond 64 bits. */
bool size_parse(const char *text, uint64_t *size);

#endif
