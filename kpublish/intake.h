/* SPDX-License-Identifier: Apache-2.0 */
/* Frames on standard input → messages in the window. */
#ifndef INTAKE_H
#define INTAKE_H

#include "core.h"

/* Cuts what has been read into messages, as far as the window has room. */
void intake_cut(struct core *core);

/* Has intake_cut left something, for which there was no room? If not, it may be read on. */
bool intake_holds(const struct core *core);
/* And is there room for it now? */
bool intake_may_go_on(const struct core *core);

/* Reads once; blocks as standard input does. */
void intake_read(struct core *core);

#endif
