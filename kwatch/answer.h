/* SPDX-License-Identifier: Apache-2.0 */
/* What the end of a request means for its stream: where the state machine goes on. */
#ifndef ANSWER_H
#define ANSWER_H

#include "stream.h"

/* An http_handler's done, for lists and watches. */
void answer_take(void *arg, const struct http_answer *answer);

#endif
