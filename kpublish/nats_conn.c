/* SPDX-License-Identifier: Apache-2.0 */
#include "nats_conn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nats_link.h"
#include "nats_wire.h"

enum { SUBJECT_SIZE = 256, WHY_SIZE = 256, SENT_BYTES_MAX = 256 * 1024 };

/* In a thread of cnats: the answer to a message. */
static void
on_answer(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
	const struct nats_conn *c = closure;
	const char *token = strrchr(natsMsg_GetSubject(msg), '.');
	struct mail mail = {.kind = NATS_ANSWER, .verdict = VERDICT_RETRY};

	(void)nc;
	(void)sub;
	if (token != NULL)
		mail.tag = strtoull(token + 1, NULL, 16);
	if (natsMsg_IsNoResponders(msg))
		snprintf(mail.text, sizeof(mail.text), "no stream takes the subject now");
	else
		mail.verdict = nats_wire_ack(natsMsg_GetData(msg),
		    (size_t)natsMsg_GetDataLength(msg), mail.text, sizeof(mail.text));
	mailbox_put(c->box, &mail);
	natsMsg_Destroy(msg);
}

/* In a thread of cnats: an error of the connection, such as a missing permission. */
static void
on_error(natsConnection *nc, natsSubscription *sub, natsStatus status, void *closure)
{
	const struct nats_conn *c = closure;
	struct mail mail = {.kind = NATS_TROUBLE};
	const char *text = NULL;

	(void)sub;
	natsConnection_GetLastError(nc, &text);
	if (text == NULL || *text == '\0')
		text = natsStatus_GetText(status);
	snprintf(mail.text, sizeof(mail.text), "%s%s", text,
	    strstr(text, NATS_QUESTION) != NULL ? NATS_QUESTION_HINT : "");
	mailbox_put(c->box, &mail);
}

/* In a thread of cnats. */
static void
on_closed(natsConnection *nc, void *closure)
{
	const struct nats_conn *c = closure;

	(void)nc;
	c->closed(c->closed_arg);
}

int
nats_conn_init(struct nats_conn *c, const char *servers, char *why, size_t why_size)
{
	const char *what;
	char detail[WHY_SIZE];
	natsOptions *options;

	nats_settings_read(&c->settings);
	if (nats_servers_parse(&c->servers, servers, &what) == -1) {
		snprintf(why, why_size, "NATS_SERVER_URL: %s", what);
		return -1;
	}
	options = nats_options_make(&c->settings, &c->servers.list[0], detail, sizeof(detail));
	if (options == NULL || natsInbox_Create(&c->inbox) != NATS_OK) {
		snprintf(why, why_size, "%s", options == NULL ? detail : "out of memory");
		natsOptions_Destroy(options);
		return -1;
	}
	natsOptions_Destroy(options);
	return 0;
}

void
nats_conn_free(struct nats_conn *c)
{
	nats_conn_drop(c);
	natsInbox_Destroy(c->inbox);
	nats_servers_free(&c->servers);
}

/* -1 with what is wrong in why. The files are read each time: they may have been renewed. */
static int
connect_to(struct nats_conn *c, const struct nats_server *server, char *why, size_t why_size)
{
	natsOptions *options = nats_options_make(&c->settings, server, why, why_size);
	natsStatus s;

	if (options == NULL)
		return -1;
	natsOptions_SetErrorHandler(options, on_error, c);
	natsOptions_SetClosedCB(options, on_closed, c);
	s = natsConnection_Connect(&c->nc, options);
	natsOptions_Destroy(options);
	if (s == NATS_OK)
		return 0;
	snprintf(why, why_size, "%s",
	    s == NATS_NO_SERVER ? nats_servers_why(server) : nats_options_error(s));
	return -1;
}

static natsStatus
listen_for_answers(struct nats_conn *c)
{
	char wildcard[SUBJECT_SIZE];

	snprintf(wildcard, sizeof(wildcard), "%s.*", c->inbox);
	return natsConnection_Subscribe(&c->answers, c->nc, wildcard, on_answer, c);
}

/* What is wrong with each server, in the order of the URL whichever was tried first, so that the same
 * trouble has the same text. */
static void
tell_all(const struct nats_conn *c, char details[][WHY_SIZE], char *why, size_t why_size)
{
	size_t len = 0;

	*why = '\0';
	for (size_t i = 0; i < c->servers.n; i++) {
		snprintf(why + len, why_size - len, "%s%s: %s", i > 0 ? "; " : "",
		    c->servers.list[i].url, details[i]);
		len += strlen(why + len);
	}
}

int
nats_conn_connect(struct nats_conn *c, char *why, size_t why_size)
{
	/* Clients that all began with the first would all be at that one. */
	size_t first = (size_t)nats_Now() % c->servers.n;
	char details[NATS_SERVERS_MAX][WHY_SIZE];

	for (size_t i = 0; i < c->servers.n; i++) {
		size_t place = (first + i) % c->servers.n;
		const struct nats_server *s = &c->servers.list[place];

		if (connect_to(c, s, details[place], sizeof(details[place])) == -1)
			continue;
		if (listen_for_answers(c) == NATS_OK)
			return 0;
		snprintf(
		    details[place], sizeof(details[place]), "the connection was lost at once");
		nats_conn_drop(c);
	}
	tell_all(c, details, why, why_size);
	return -1;
}

static void
destroy_sent(struct nats_conn *c)
{
	while (c->n_sent > 0)
		natsMsg_Destroy(c->sent[--c->n_sent]);
	c->sent_bytes = 0;
}

void
nats_conn_drop(struct nats_conn *c)
{
	destroy_sent(c);
	natsSubscription_Destroy(c->answers);
	natsConnection_Destroy(c->nc);
	c->answers = NULL;
	c->nc = NULL;
}

/* The message as cnats has it, headers included. */
static natsStatus
make_msg(natsMsg **msg, const char *subject, const char *reply, const struct message *m)
{
	natsStatus s = natsMsg_Create(msg, subject, reply, (const char *)m->body, (int)m->len);

	/* The first attribute is the id: there is no Envelope without. */
	if (s == NATS_OK)
		s = natsMsgHeader_Set(*msg, "Nats-Msg-Id", m->attributes[0].value);
	for (size_t i = 0; i < m->n_attributes && s == NATS_OK; i++)
		s = natsMsgHeader_Set(*msg, m->attributes[i].name, m->attributes[i].value);
	return s;
}

natsStatus
nats_conn_publish(
    struct nats_conn *c, const char *subject, const struct message *m, uint64_t tag)
{
	char reply[SUBJECT_SIZE];
	size_t len = m->len; /* a publish that blocks may outlive m: see nats_link_close */
	natsMsg *msg = NULL;
	natsStatus s;

	snprintf(reply, sizeof(reply), "%s.%" PRIx64, c->inbox, tag);
	s = make_msg(&msg, subject, tag != 0 ? reply : NULL, m);
	if (s == NATS_OK)
		s = natsConnection_PublishMsg(c->nc, msg);
	if (msg == NULL)
		return s;
	c->sent[c->n_sent++] = msg;
	c->sent_bytes += len;
	if (c->n_sent == NATS_SENT_MAX || c->sent_bytes >= SENT_BYTES_MAX)
		destroy_sent(c);
	return s;
}
