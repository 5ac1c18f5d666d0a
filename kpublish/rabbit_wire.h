/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of AMQP 0-9-1, as we send them; those that come are for amqp_handle_input of
 * rabbitmq-c. Source: https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf, 4.2. */
#ifndef RABBIT_WIRE_H
#define RABBIT_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "message.h"
#include "rabbit_amqp.h"

enum {
	RABBIT_SHORT_MAX = 255, /* bytes of a short string */
	/* The broker's proposal is not exceeded, nor is this: rabbitmq-c's own default. */
	RABBIT_FRAME_MAX = 131072,
};

/* Each appends to out. 0; or -1 with errno: EMSGSIZE, it does not fit in a frame; or as
 * buf_reserve. */

/* What a client begins with. */
int rabbit_wire_hello(struct buf *out);
int rabbit_wire_heartbeat(struct buf *out);
/* fields: the struct of that method, amqp_…_t. */
int rabbit_wire_method(
    struct buf *out, uint16_t channel, amqp_method_number_t id, void *fields);

/* A message: basic.publish, mandatory, then properties and body. Nothing is appended when its
 * properties do not fit in a frame. */
int rabbit_wire_message(struct buf *out, uint16_t channel, const char *exchange,
    const struct message *m, size_t frame_max);

/* A text as a short string can hold it: one that is longer, as the end of it, where the uid of
 * a key stands. Borrows p. */
amqp_bytes_t rabbit_wire_short(const char *p, size_t len);

#endif
