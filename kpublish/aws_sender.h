/* SPDX-License-Identifier: Apache-2.0 */
/* The bus that SQS and SNS are: messages are gathered into requests, of which several are under
 * way at once. A request goes out when it is full or nothing more comes. */
#ifndef AWS_SENDER_H
#define AWS_SENDER_H

#include "aws_config.h"
#include "aws_service.h"
#include "bus.h"

/* A queue or topic. */
struct aws_place {
	const struct aws_service *service;
	const char *target; /* the queue's URL, the topic's ARN: printable, without quotes */
	char *memory;       /* owned: what target points to, or NULL */
	struct aws_config config;
};

/* The functions of struct bus. Takes what place holds, whatever it returns. */
void *aws_sender_open(struct aws_place *place, const struct bus_owner *owner, int *exit_code);
enum bus_send aws_sender_send(void *bus, struct message *m);
int aws_sender_flush(void *bus);
int aws_sender_fd(void *bus);
int aws_sender_timeout_ms(void *bus);
int aws_sender_work(void *bus);
void aws_sender_close(void *bus);

#endif
