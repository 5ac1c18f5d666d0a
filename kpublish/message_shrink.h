/* SPDX-License-Identifier: Apache-2.0 */
/* Smaller forms of a message, for a bus that does not take it as it is: kollect(5), "Messages".
 */
#ifndef MESSAGE_SHRINK_H
#define MESSAGE_SHRINK_H

#include "message.h"

/* Makes the next smaller form of a kept message its body; m->shrunk says which, and so does the
 * Envelope. What was its body before, other than the whole, is freed. Attributes and key stay.
 * 1: the body is smaller now; 0: there is none that is smaller (the payload is no event of an
 * object, or the state to be cut is no JSON object), nothing has changed; -1: out of memory. */
int message_shrink(struct message *m);

#endif
