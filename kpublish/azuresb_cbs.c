/* SPDX-License-Identifier: Apache-2.0 */
#include "azuresb_cbs.h"

#include <errno.h>
#include <inttypes.h>
#include <proton/connection.h>
#include <proton/delivery.h>
#include <proton/link.h>
#include <proton/message.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "azuresb_token.h"

enum {
	ANSWER_MAX = 16 * 1024,
	REQUEST_MAX = 16 * 1024,
};

static const char node[] = "$cbs";
static const char reply_to[] = "kpublish-cbs";

struct azuresb_cbs {
	const struct azuresb_config *config;
	char *resource; /* what the token is for */
	int token_s;
	pn_session_t *session;
	pn_link_t *requests; /* NULL: there is nothing to be asked now */
	pn_link_t *answers;
	bool asked;       /* no answer yet */
	int64_t renew_at; /* Unix time; 0: at once, INT64_MAX: never */
	unsigned turn;    /* names the links */
	enum azuresb_cbs_state state;
	char why[512];
};

void
azuresb_cbs_close(struct azuresb_cbs *cbs)
{
	if (cbs == NULL)
		return;
	free(cbs->resource);
	free(cbs);
}

bool
azuresb_cbs_has(const struct azuresb_cbs *cbs, pn_link_t *link)
{
	return cbs != NULL && pn_link_get_context(link) == cbs;
}

static void
open_links(struct azuresb_cbs *cbs)
{
	char name[40];

	cbs->turn++;
	snprintf(name, sizeof(name), "kpublish-cbs-requests-%u", cbs->turn);
	cbs->requests = pn_sender(cbs->session, name);
	pn_terminus_set_address(pn_link_target(cbs->requests), node);
	pn_terminus_set_address(pn_link_source(cbs->requests), reply_to);
	pn_link_set_context(cbs->requests, cbs);
	pn_link_open(cbs->requests);
	snprintf(name, sizeof(name), "kpublish-cbs-answers-%u", cbs->turn);
	cbs->answers = pn_receiver(cbs->session, name);
	pn_terminus_set_address(pn_link_source(cbs->answers), node);
	pn_terminus_set_address(pn_link_target(cbs->answers), reply_to);
	pn_link_set_context(cbs->answers, cbs);
	pn_link_open(cbs->answers);
	pn_link_flow(cbs->answers, 1);
}

struct azuresb_cbs *
azuresb_cbs_open(
    pn_session_t *session, const struct azuresb_config *config, const char *entity, int token_s)
{
	struct azuresb_cbs *cbs = calloc(1, sizeof(*cbs));

	if (cbs == NULL)
		return NULL;
	cbs->session = session;
	cbs->config = config;
	cbs->token_s = token_s;
	if (asprintf(&cbs->resource, "amqps://%s/%s", config->peer.host, entity) == -1) {
		free(cbs);
		errno = ENOMEM;
		return NULL;
	}
	open_links(cbs);
	return cbs;
}

/* They are freed when the server has closed its ends. */
static void
close_links(struct azuresb_cbs *cbs)
{
	pn_link_close(cbs->requests);
	pn_link_close(cbs->answers);
	cbs->requests = cbs->answers = NULL;
	cbs->asked = false;
}

static void
refuse(struct azuresb_cbs *cbs, const char *what, const char *why)
{
	cbs->state = AZURESB_CBS_REFUSED;
	snprintf(cbs->why, sizeof(cbs->why), "%s: %s", what, why);
}

/* A condition as text. */
static void
refuse_for(struct azuresb_cbs *cbs, const char *what, pn_condition_t *condition)
{
	const char *name = pn_condition_get_name(condition);
	const char *description = pn_condition_get_description(condition);
	char why[400];

	snprintf(why, sizeof(why), "%s%s%s", name != NULL ? name : "no reason given",
	    description != NULL ? ": " : "", description != NULL ? description : "");
	refuse(cbs, what, why);
}

static pn_bytes_t
bytes_of(const char *text)
{
	return pn_bytes(strlen(text), text);
}

/* The request to take the token. */
static void
fill(pn_message_t *message, const char *resource, const char *token)
{
	const char *const properties[][2] = {
	    {"operation", "put-token"},
	    {"type", "servicebus.windows.net:sastoken"},
	    {"name", resource},
	};
	pn_data_t *d = pn_message_properties(message);

	pn_data_put_map(d);
	pn_data_enter(d);
	for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
		pn_data_put_string(d, bytes_of(properties[i][0]));
		pn_data_put_string(d, bytes_of(properties[i][1]));
	}
	pn_data_exit(d);
	pn_message_set_id(
	    message, (pn_msgid_t){.type = PN_STRING, .u.as_bytes = bytes_of("put-token")});
	pn_message_set_reply_to(message, reply_to);
	pn_data_put_string(pn_message_body(message), bytes_of(token));
}

static void
put_token(struct azuresb_cbs *cbs, const char *token)
{
	char bytes[REQUEST_MAX];
	size_t len = sizeof(bytes);
	pn_message_t *message = pn_message();

	fill(message, cbs->resource, token);
	if (pn_message_encode(message, bytes, &len) == 0) {
		pn_delivery(cbs->requests, pn_dtag("1", 1));
		pn_link_send(cbs->requests, bytes, len);
		pn_link_advance(cbs->requests);
		cbs->asked = true;
	} else {
		refuse(cbs, "the token cannot be sent", "it is too long");
	}
	explicit_bzero(bytes, sizeof(bytes));
	pn_message_free(message);
}

/* The server takes requests now. */
static void
ask(struct azuresb_cbs *cbs)
{
	const struct azuresb_config *c = cbs->config;
	int64_t now = (int64_t)time(NULL);
	char *token;

	if (c->signature != NULL) {
		cbs->renew_at = INT64_MAX;
		put_token(cbs, c->signature);
		return;
	}
	token = azuresb_token_make(cbs->resource, c->key_name, c->key, now + cbs->token_s);
	if (token == NULL) {
		refuse(cbs, "cannot make a token", strerror(errno));
		return;
	}
	cbs->renew_at = now + cbs->token_s - cbs->token_s / 4;
	put_token(cbs, token);
	azuresb_token_free(token);
}

void
azuresb_cbs_work(struct azuresb_cbs *cbs)
{
	if (cbs->requests == NULL && (int64_t)time(NULL) >= cbs->renew_at)
		open_links(cbs);
}

/* The value behind a name in the map of application properties, as the current node of the data. */
static bool
find_property(pn_data_t *d, const char *name)
{
	pn_data_rewind(d);
	if (!pn_data_next(d) || pn_data_type(d) != PN_MAP)
		return false;
	pn_data_enter(d);
	while (pn_data_next(d)) {
		pn_bytes_t key =
		    pn_data_type(d) == PN_STRING ? pn_data_get_string(d) : pn_bytes(0, NULL);
		bool found = key.size == strlen(name) && memcmp(key.start, name, key.size) == 0;

		if (!pn_data_next(d))
			return false;
		if (found)
			return true;
	}
	return false;
}

static void
judge(struct azuresb_cbs *cbs, pn_message_t *answer)
{
	pn_data_t *d = pn_message_properties(answer);
	int32_t code = 0;
	pn_bytes_t text = {0, NULL};
	char why[400];

	if (find_property(d, "status-code") && pn_data_type(d) == PN_INT)
		code = pn_data_get_int(d);
	if (find_property(d, "status-description") && pn_data_type(d) == PN_STRING)
		text = pn_data_get_string(d);
	if (code >= 200 && code < 300) {
		cbs->state = AZURESB_CBS_GRANTED;
		return;
	}
	snprintf(why, sizeof(why), "%" PRId32 " %.*s", code, (int)text.size,
	    text.start != NULL ? text.start : "");
	if (cbs->config->signature != NULL)
		refuse(cbs, "the SharedAccessSignature is refused", why);
	else
		refuse(cbs, "a token signed with the SharedAccessKey is refused", why);
}

/* An answer has come, or a part of it. */
static void
take_answer(struct azuresb_cbs *cbs, pn_delivery_t *delivery)
{
	char bytes[ANSWER_MAX];
	pn_message_t *answer;
	ssize_t n;

	if (!pn_delivery_readable(delivery) || pn_delivery_partial(delivery))
		return;
	n = pn_link_recv(cbs->answers, bytes, sizeof(bytes));
	answer = pn_message();
	if (n < 0 || pn_message_decode(answer, bytes, (size_t)n) != 0)
		refuse(cbs, node, "has answered with what is no message");
	else
		judge(cbs, answer);
	pn_message_free(answer);
	pn_delivery_update(delivery, PN_ACCEPTED);
	pn_delivery_settle(delivery);
	close_links(cbs);
}

static void
take_delivery(struct azuresb_cbs *cbs, pn_delivery_t *delivery)
{
	if (pn_delivery_link(delivery) == cbs->answers) {
		take_answer(cbs, delivery);
		return;
	}
	if (!pn_delivery_updated(delivery))
		return;
	if (pn_delivery_remote_state(delivery) == PN_REJECTED)
		refuse_for(cbs, "the token is refused",
		    pn_disposition_condition(pn_delivery_remote(delivery)));
	pn_delivery_settle(delivery);
}

static void
link_closed(struct azuresb_cbs *cbs, pn_link_t *link)
{
	if (pn_link_state(link) & PN_LOCAL_CLOSED)
		pn_link_free(link);
	else
		refuse_for(cbs, "$cbs is closed", pn_link_remote_condition(link));
}

void
azuresb_cbs_event(struct azuresb_cbs *cbs, pn_event_t *event)
{
	pn_link_t *link = pn_event_link(event);

	switch (pn_event_type(event)) {
	case PN_LINK_FLOW:
		if (link == cbs->requests && !cbs->asked && pn_link_credit(link) > 0)
			ask(cbs);
		break;
	case PN_DELIVERY:
		take_delivery(cbs, pn_event_delivery(event));
		break;
	case PN_LINK_REMOTE_CLOSE:
	case PN_LINK_REMOTE_DETACH:
		link_closed(cbs, link);
		break;
	default:
		break;
	}
}

enum azuresb_cbs_state
azuresb_cbs_state(const struct azuresb_cbs *cbs)
{
	return cbs->state;
}

const char *
azuresb_cbs_why(const struct azuresb_cbs *cbs)
{
	return cbs->why;
}
