/* SPDX-License-Identifier: Apache-2.0 */
/* rabbitmq-c, whose headers have had a folder of their own since 0.12. Its codec alone is used:
 * its sockets block, in a login and wherever a broker does not read. */
#ifndef RABBIT_AMQP_H
#define RABBIT_AMQP_H

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/framing.h>
#else
#include <amqp.h>
#include <amqp_framing.h>
#endif

#endif
