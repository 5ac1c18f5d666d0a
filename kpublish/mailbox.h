/* SPDX-License-Identifier: Apache-2.0 */
/* What other threads have to tell the one that kpublish's core has. */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <stddef.h>
#include <stdint.h>

#include "bus.h"

enum { MAIL_TEXT = 240 };

struct mail {
	int kind; /* the bus's own: what the rest means */
	enum verdict verdict;
	uint64_t tag;
	int64_t number;
	char text[MAIL_TEXT]; /* cut short */
};

struct mailbox;

/* NULL with errno. */
struct mailbox *mailbox_open(void);
/* No thread may put anything in any more. Takes NULL. */
void mailbox_close(struct mailbox *box);

/* From any thread; copies. Out of memory, the mail is lost: like an answer that never came. */
void mailbox_put(struct mailbox *box, const struct mail *mail);

/* Readable when there is mail. */
int mailbox_fd(const struct mailbox *box);

/* Takes all that is there: *mail, borrowed until the next call, and how many. */
size_t mailbox_take(struct mailbox *box, const struct mail **mail);

#endif
