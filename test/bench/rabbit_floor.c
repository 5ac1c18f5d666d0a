/* SPDX-License-Identifier: Apache-2.0 */
/* The floor for rabbit://: rabbitmq-c's own blocking calls in a loop, with confirms, and nothing
 * around them: no order, no retry. Messages are as kpublish sends them.
 *
 *	rabbit_floor PORT USER PASSWORD EXCHANGE WINDOW < LINES
 *
 * A line is a key, a tab, and the body. On standard output: messages a second. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attributes.h"
#include "kpublish/rabbit_amqp.h"
#if __has_include(<rabbitmq-c/tcp_socket.h>)
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp_tcp_socket.h>
#endif

enum { CHANNEL = 1, FRAME_MAX = 131072, READ_EACH = 64 };

static void
check(int ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "rabbit_floor: %s\n", what);
		exit(1);
	}
}

static amqp_connection_state_t
log_in(int port, const char *user, const char *password)
{
	amqp_connection_state_t c = amqp_new_connection();
	amqp_socket_t *socket = c != NULL ? amqp_tcp_socket_new(c) : NULL;

	check(socket != NULL && amqp_socket_open(socket, "127.0.0.1", port) == 0, "connect");
	check(amqp_login(c, "/", 0, FRAME_MAX, 0, AMQP_SASL_METHOD_PLAIN, user, password)
		      .reply_type == AMQP_RESPONSE_NORMAL,
	    "login");
	check(amqp_channel_open(c, CHANNEL) != NULL, "channel");
	check(amqp_confirm_select(c, CHANNEL) != NULL, "confirms");
	return c;
}

/* Reads what there is, or waits for one. One queue confirms in order, so that the last tag stands
 * for all. */
static void
read_confirms(amqp_connection_state_t c, uint64_t *confirmed, int wait)
{
	const struct timeval no_time = {0, 0};
	amqp_frame_t frame;
	int result;

	amqp_maybe_release_buffers(c);
	while ((result = amqp_simple_wait_frame_noblock(c, &frame, wait ? NULL : &no_time)) ==
	       AMQP_STATUS_OK) {
		const amqp_basic_ack_t *ack = frame.payload.method.decoded;

		wait = 0;
		check(frame.frame_type == AMQP_FRAME_METHOD &&
			  frame.payload.method.id == AMQP_BASIC_ACK_METHOD,
		    "something but an ack");
		*confirmed = ack->delivery_tag;
	}
	check(result == AMQP_STATUS_TIMEOUT, "reading");
}

static void
publish(amqp_connection_state_t c, const char *exchange, const char *key, amqp_bytes_t body)
{
	amqp_table_entry_t headers[ATTRIBUTES];
	amqp_basic_properties_t properties = {
	    ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
		      AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG,
	    .content_type = amqp_cstring_bytes("application/x-protobuf"),
	    .delivery_mode = 2,
	    .headers = {ATTRIBUTES, headers},
	    .message_id = amqp_cstring_bytes("85985532-4862-55da-86b3-bbb9c5beeca8"),
	};

	for (int i = 0; i < ATTRIBUTES; i++)
		headers[i] = (amqp_table_entry_t){.key = amqp_cstring_bytes(attributes[i].name),
		    .value = {.kind = AMQP_FIELD_KIND_UTF8,
			.value.bytes = amqp_cstring_bytes(attributes[i].value)}};
	check(amqp_basic_publish(c, CHANNEL, amqp_cstring_bytes(exchange),
		  amqp_cstring_bytes(key), 1, 0, &properties, body) == AMQP_STATUS_OK,
	    "publish");
}

/* All lines, with at most so many unconfirmed. How many there were. */
static uint64_t
publish_lines(amqp_connection_state_t c, const char *exchange, uint64_t window)
{
	uint64_t sent = 0;
	uint64_t confirmed = 0;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	while ((len = getline(&line, &room, stdin)) > 0) {
		char *tab = strchr(line, '\t');

		check(tab != NULL, "a line has no tab");
		*tab++ = '\0';
		publish(c, exchange, line,
		    (amqp_bytes_t){.bytes = tab, .len = (size_t)(line + len - 1 - tab)});
		if (++sent % READ_EACH == 0)
			read_confirms(c, &confirmed, 0);
		while (sent - confirmed >= window)
			read_confirms(c, &confirmed, 1);
	}
	while (confirmed < sent)
		read_confirms(c, &confirmed, 1);
	free(line);
	return sent;
}

int
main(int argc, char **argv)
{
	amqp_connection_state_t c;
	struct timespec begin;
	struct timespec end;
	uint64_t messages;

	check(argc == 6, "PORT USER PASSWORD EXCHANGE WINDOW < LINES");
	c = log_in((int)strtol(argv[1], NULL, 10), argv[2], argv[3]);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	messages = publish_lines(c, argv[4], strtoul(argv[5], NULL, 10));
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%.0f\n", (double)messages / ((double)(end.tv_sec - begin.tv_sec) +
						(double)(end.tv_nsec - begin.tv_nsec) / 1e9));
	amqp_destroy_connection(c);
	return 0;
}
