/* SPDX-License-Identifier: Apache-2.0 */
/* A message as Service Bus wants it on AMQP 1.0. Source:
 * https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide#messages */
#ifndef AZURESB_MESSAGE_H
#define AZURESB_MESSAGE_H

#include <proton/message.h>

#include "buf.h"
#include "message.h"

enum { AZURESB_KEY_MAX = 128 }; /* of a partition key and of a session id */

/* The key as partition key and session id: itself, or, where it is too long, its SHA-256 in
 * hexadecimal digits. */
void azuresb_message_key(const char *key, size_t len, char out[AZURESB_KEY_MAX + 1]);

/* All that stands in front of the body's bytes, the head of its one data section included,
 * replaces what is in `head`. scratch is anything made by pn_message(). 0, or -1 with errno. */
int azuresb_message_head(pn_message_t *scratch, const struct message *m, struct buf *head);

#endif
