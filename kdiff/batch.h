/* SPDX-License-Identifier: Apache-2.0 */
/* One transaction a batch of input: state, stream positions, sequence number and outbox change
 * together, and no record leaves before its commit. */
#ifndef BATCH_H
#define BATCH_H

#include "kdiff.h"

/* Room for an event of that many bytes in the batch, which is ended and begun as need be; waits
 * for as long as the spool or the disk is full. 0; or -1, with a message unless k->gave_up. */
int batch_room(struct kdiff *k, size_t bytes);

/* Ends the batch: commits, then hands on its records. 0; or -1, with a message unless the reader
 * has gone (EPIPE) or k->gave_up. */
int batch_end(struct kdiff *k);

/* Removes from the outbox what is acknowledged, in a transaction of its own. No batch may be
 * open. 0 or -1. */
int batch_trim(struct kdiff *k);

/* Nothing comes in: once a second, does what need not be done more often. No batch may be open. 0
 * or -1. */
int batch_idle(struct kdiff *k);

/* The seq up to which rows of the outbox are needed no more: the bus has accepted the records
 * when it tells; else they have been written. */
uint64_t batch_settled(const struct kdiff *k);

#endif
