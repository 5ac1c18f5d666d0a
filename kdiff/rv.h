/* SPDX-License-Identifier: Apache-2.0 */
/* The order of two resourceVersions of one resource (KEP-5504). */
#ifndef RV_H
#define RV_H

#include "store.h"

enum rv_order {
	RV_OLDER,
	RV_EQUAL,
	RV_NEWER,
	RV_UNORDERED, /* they differ and one of them is no decimal number without leading zero
		       */
};

/* How a stands to b. */
enum rv_order rv_compare(struct bytes a, struct bytes b);

#endif
