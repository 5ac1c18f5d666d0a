/* SPDX-License-Identifier: Apache-2.0 */
/* The meta table: which store this is, and what changes with each transaction. */
#ifndef STORE_META_H
#define STORE_META_H

#include "store_table.h"

/* In the open transaction. Reads the table; of a new store, writes it. cluster_id as the options
 * have it; lost: why the store before could not be used, or NULL. 0, or -1 with a message;
 * *refused when the store is not the one that is asked for. */
int store_meta_load(struct store *s, const char *cluster_id, const char *lost, bool *refused);

/* Writes the counts. 0 or -1. */
int store_meta_put_counts(struct store *s);

#endif
