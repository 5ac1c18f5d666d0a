/* SPDX-License-Identifier: Apache-2.0 */
/* What a client says until it may publish, a method each; they are appended to out. 0, or -1
 * as rabbit_wire_method. */
#ifndef RABBIT_LOGIN_H
#define RABBIT_LOGIN_H

#include "buf.h"
#include "rabbit_amqp.h"
#include "rabbit_url.h"

enum { RABBIT_CHANNEL = 1 };

/* Who we are, and what we can take: that the broker says why it lets nobody in, and that it
 * blocks. */
int rabbit_login_start(struct buf *out, const struct rabbit_server *server);
int rabbit_login_tune(struct buf *out, uint32_t frame_max, uint16_t heartbeat_s);
int rabbit_login_vhost(struct buf *out, const struct rabbit_server *server);
int rabbit_login_channel(struct buf *out);
/* Asks whether the exchange is there; it is not made. */
int rabbit_login_exchange(struct buf *out, const char *exchange);
/* From here on the broker confirms each message. */
int rabbit_login_confirm(struct buf *out);
int rabbit_login_farewell(struct buf *out);

#endif
