/* SPDX-License-Identifier: Apache-2.0 */
/* The end: what was taken is handed on. */
#ifndef FINISH_H
#define FINISH_H

#include "kdiff.h"

/* Ends the batch, writes what is left of the records, and takes the last acknowledgements. When
 * asked to stop, records that standard output does not take stay in the outbox of a store that
 * has a directory. 0 or -1 as batch_end. */
int finish(struct kdiff *k);

#endif
