/* SPDX-License-Identifier: Apache-2.0 */
/* The floor for azuresb://: proton's own proactor and messages in a loop, as many at a time as the
 * link has credit for, and nothing around it: no order, no retry.
 *
 *	azuresb_floor HOST:PORT USER PASSWORD TOPIC < LINES
 *
 * A line is a key, a tab, and the body. */
#include <proton/connection.h>
#include <proton/delivery.h>
#include <proton/link.h>
#include <proton/message.h>
#include <proton/proactor.h>
#include <proton/sasl.h>
#include <proton/session.h>
#include <proton/transport.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attributes.h"

enum { MAX_FRAME = 65536 };

struct floor {
	const char *topic;
	pn_message_t *message;
	pn_rwbytes_t bytes;
	char *line;
	size_t line_size;
	uint64_t sent;
	uint64_t accepted;
	bool ended; /* of input */
	bool over;
};

static void
check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "azuresb_floor: %s\n", what);
	exit(1);
}

static pn_bytes_t
bytes_of(const char *text)
{
	return pn_bytes(strlen(text), text);
}

/* As kpublish has them, but for the attributes. */
static void
fill(struct floor *f, const char *key, const char *body, size_t len)
{
	char id[40];
	pn_message_t *m = f->message;
	pn_data_t *d;

	snprintf(id, sizeof(id), "%036llu", (unsigned long long)f->sent);
	pn_message_clear(m);
	pn_message_set_durable(m, true);
	pn_message_set_inferred(m, true);
	pn_message_set_id(m, (pn_msgid_t){.type = PN_STRING, .u.as_bytes = bytes_of(id)});
	pn_message_set_group_id(m, key);
	d = pn_message_annotations(m);
	pn_data_put_map(d);
	pn_data_enter(d);
	pn_data_put_symbol(d, bytes_of("x-opt-partition-key"));
	pn_data_put_string(d, bytes_of(key));
	pn_data_exit(d);
	d = pn_message_properties(m);
	pn_data_put_map(d);
	pn_data_enter(d);
	for (int i = 0; i < ATTRIBUTES; i++) {
		pn_data_put_string(d, bytes_of(attributes[i].name));
		pn_data_put_string(d, bytes_of(attributes[i].value));
	}
	pn_data_exit(d);
	pn_data_put_binary(pn_message_body(m), pn_bytes(len, body));
}

/* The next line of input as a message. */
static bool
send_line(struct floor *f, pn_link_t *link)
{
	ssize_t len = getline(&f->line, &f->line_size, stdin);
	char *body = len > 0 ? strchr(f->line, '\t') : NULL;

	if (len <= 0) {
		f->ended = true;
		return false;
	}
	check(body != NULL, "a line without a tab");
	*body++ = '\0';
	fill(f, f->line, body, (size_t)(f->line + len - 1 - body));
	f->sent++;
	pn_delivery(link, pn_dtag((const char *)&f->sent, sizeof(f->sent)));
	check(pn_message_send(f->message, link, &f->bytes) > 0, "cannot send");
	return true;
}

static void
open_all(const struct floor *f, pn_connection_t *connection)
{
	pn_session_t *session = pn_session(connection);
	pn_link_t *link = pn_sender(session, "azuresb_floor");

	pn_connection_open(connection);
	pn_session_open(session);
	pn_terminus_set_address(pn_link_target(link), f->topic);
	pn_link_set_snd_settle_mode(link, PN_SND_UNSETTLED);
	pn_link_open(link);
}

static void
handle(struct floor *f, pn_event_t *event)
{
	pn_delivery_t *delivery;

	switch (pn_event_type(event)) {
	case PN_CONNECTION_INIT:
		open_all(f, pn_event_connection(event));
		break;
	case PN_LINK_FLOW:
		while (pn_link_credit(pn_event_link(event)) > 0 &&
		       send_line(f, pn_event_link(event)))
			;
		break;
	case PN_DELIVERY:
		delivery = pn_event_delivery(event);
		check(pn_delivery_remote_state(delivery) == PN_ACCEPTED, "not accepted");
		pn_delivery_settle(delivery);
		f->accepted++;
		break;
	case PN_TRANSPORT_ERROR:
	case PN_CONNECTION_REMOTE_CLOSE:
	case PN_LINK_REMOTE_CLOSE:
		check(f->over, "the server has closed the connection or the link");
		break;
	default:
		break;
	}
	if (f->ended && f->accepted == f->sent && !f->over) {
		f->over = true;
		pn_connection_close(pn_event_connection(event));
	}
}

static void
connect_to(pn_proactor_t *proactor, char **argv)
{
	pn_connection_t *connection = pn_connection();
	pn_transport_t *transport = pn_transport();
	pn_sasl_t *sasl = pn_sasl(transport);

	pn_connection_set_user(connection, argv[2]);
	pn_connection_set_password(connection, argv[3]);
	pn_transport_set_max_frame(transport, MAX_FRAME);
	pn_sasl_allowed_mechs(sasl, "PLAIN");
	pn_sasl_set_allow_insecure_mechs(sasl, true);
	pn_proactor_connect2(proactor, connection, transport, argv[1]);
}

int
main(int argc, char **argv)
{
	struct floor f = {.message = pn_message()};
	pn_proactor_t *proactor = pn_proactor();
	bool done = false;

	check(argc == 5, "usage: azuresb_floor HOST:PORT USER PASSWORD TOPIC < LINES");
	f.topic = argv[4];
	connect_to(proactor, argv);
	while (!done) {
		pn_event_batch_t *batch = pn_proactor_wait(proactor);
		pn_event_t *event;

		while ((event = pn_event_batch_next(batch)) != NULL) {
			handle(&f, event);
			done = done || pn_event_type(event) == PN_PROACTOR_INACTIVE;
		}
		pn_proactor_done(proactor, batch);
	}
	pn_proactor_free(proactor);
	pn_message_free(f.message);
	free(f.bytes.start);
	free(f.line);
	return 0;
}
