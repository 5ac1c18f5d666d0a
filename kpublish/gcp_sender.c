/* SPDX-License-Identifier: Apache-2.0 */
#include "gcp_sender.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "gcp_lanes.h"
#include "gcp_pace.h"
#include "gcp_wire.h"
#include "text.h"

enum {
	/* Of a request with several messages. Pub/Sub takes 1 MB/s of a key. */
	BATCH_SIZE = 1024 * 1024,
	/* Of all requests under way. */
	UNDER_WAY_SIZE = 4 * 1024 * 1024,
	KEEP_SIZE = 16 * 1024, /* of a request's memory, for the next */
	/* How long an answer may take: so long, and what the way up takes at 100 kB/s. */
	ANSWER_MS = 15000,
	BYTES_PER_MS = 100,
	/* Some requests fail and others do not: so often it is said. So many failures in a row
	 * are always worth saying. */
	TELL_MS = 60000,
	IN_A_ROW = 3,
};

/* A request under way, or memory for one. */
struct flight {
	struct gcp_sender *sender;
	struct flight *next; /* of those under way, or of those that are free */
	struct flight *prev;
	struct lane *lane;
	struct request *request;
	struct buf body;
	uint64_t token;
	int64_t started_ms;
};

struct gcp_sender {
	const struct bus_owner *owner;
	const struct gcp_target *target;
	struct requests *requests;
	struct gcp_token *token;
	char *url;
	struct lanes *lanes;
	struct gcp_pace pace;
	struct flight *under_way;
	struct flight *free;
	size_t n_under_way;
	size_t size_under_way;
	bool heard;      /* there was an answer */
	int64_t told_ms; /* when it was said last that a request failed; 0: never */
};

struct gcp_sender *
gcp_sender_open(const struct gcp_target *target, struct requests *requests,
    struct gcp_token *token, const struct bus_owner *owner)
{
	struct gcp_sender *s = calloc(1, sizeof(*s));

	if (s != NULL) {
		s->owner = owner;
		s->target = target;
		s->requests = requests;
		s->token = token;
		s->url = text_printf("%s/v1/%s:publish", target->base, target->topic);
		s->lanes = lanes_open(WINDOW_MESSAGES);
		gcp_pace_init(&s->pace, target->max_requests);
	}
	if (s == NULL || s->url == NULL || s->lanes == NULL) {
		log_error(owner->log, "out of memory");
		gcp_sender_close(s);
		return NULL;
	}
	return s;
}

static void
free_flights(struct flight *f)
{
	while (f != NULL) {
		struct flight *next = f->next;

		requests_cancel(f->request);
		buf_free(&f->body);
		free(f);
		f = next;
	}
}

void
gcp_sender_close(struct gcp_sender *s)
{
	if (s == NULL)
		return;
	free_flights(s->under_way);
	free_flights(s->free);
	lanes_close(s->lanes);
	free(s->url);
	free(s);
}

/* Memory for a request, among those under way. NULL: there is none. */
static struct flight *
take_off(struct gcp_sender *s)
{
	struct flight *f = s->free;

	if (f != NULL) {
		s->free = f->next;
	} else {
		f = calloc(1, sizeof(*f));
		if (f == NULL)
			return NULL;
		buf_init(&f->body, GCP_REQUEST_MAX + 1);
	}
	f->sender = s;
	f->prev = NULL;
	f->next = s->under_way;
	if (f->next != NULL)
		f->next->prev = f;
	s->under_way = f;
	s->n_under_way++;
	return f;
}

static void
land(struct gcp_sender *s, struct flight *f)
{
	s->n_under_way--;
	s->size_under_way -= f->body.len;
	if (f->prev != NULL)
		f->prev->next = f->next;
	else
		s->under_way = f->next;
	if (f->next != NULL)
		f->next->prev = f->prev;
	f->body.len = 0;
	buf_shrink(&f->body, KEEP_SIZE);
	f->request = NULL;
	f->next = s->free;
	s->free = f;
}

static void
verdict(struct gcp_sender *s, struct message *m, enum verdict verdict, const char *why)
{
	s->owner->verdict(s->owner->core, m, verdict, why);
}

/* A request with one message was refused, or one with several. */
static void
refused(struct gcp_sender *s, struct lane *lane, enum verdict what, const char *why)
{
	struct message *m;

	if (lane_out(lane) > 1) {
		lanes_halve(s->lanes, lane);
		return;
	}
	lane_found(lane);
	m = lanes_drop(s->lanes, lane);
	/* A smaller form of it may come: what is behind it has to be behind that. */
	if (what == VERDICT_TOO_LARGE)
		lane_recall(lane);
	verdict(s, m, what, why);
	while ((m = lanes_drop(s->lanes, lane)) != NULL)
		verdict(s, m, VERDICT_RETRY, NULL);
}

static void
accepted(struct gcp_sender *s, struct lane *lane)
{
	struct message *m;

	while ((m = lanes_drop(s->lanes, lane)) != NULL)
		verdict(s, m, VERDICT_ACKED, NULL);
}

/* The server failed, not the message: again, when the pace allows it. */
static void
failed(struct gcp_sender *s, const struct flight *f, int64_t wait_ms, const char *why)
{
	int64_t now = core_now_ms();

	gcp_pace_bad(&s->pace, now, f->started_ms, wait_ms);
	lanes_back(s->lanes, f->lane);
	if (s->told_ms != 0 && now - s->told_ms < TELL_MS && s->pace.failures < IN_A_ROW)
		return;
	s->told_ms = now;
	s->owner->trouble(s->owner->core, "%s: %s", s->target->host, why);
}

/* It fails until somebody does something about it. */
static void
not_allowed(
    struct gcp_sender *s, const struct flight *f, const struct answer *answer, const char *why)
{
	gcp_pace_bad(&s->pace, core_now_ms(), f->started_ms, answer->retry_after_ms);
	lanes_back(s->lanes, f->lane);
	s->owner->trouble(s->owner->core,
	    "%s: %s (to publish needs the topic %s and on it the role roles/pubsub.publisher)",
	    s->target->host, why, s->target->topic);
}

static void
token_refused(struct gcp_sender *s, const struct flight *f, const char *why)
{
	if (s->token == NULL) {
		failed(s, f, 0, why);
		return;
	}
	lanes_back(s->lanes, f->lane);
	gcp_token_refused(s->token, f->token, why);
}

static void
answered(struct gcp_sender *s, const struct flight *f, const struct answer *answer)
{
	enum gcp_outcome outcome;
	char why[GCP_WHY];

	s->heard = true;
	outcome =
	    gcp_wire_outcome(answer->status, answer->body, answer->len, lane_out(f->lane), why);
	if (s->token != NULL && outcome != GCP_TOKEN)
		gcp_token_good(s->token, f->token);
	s->owner->connected(s->owner->core, outcome != GCP_TOKEN && outcome != GCP_NOT_ALLOWED);
	switch (outcome) {
	case GCP_PUBLISHED:
		gcp_pace_good(&s->pace);
		accepted(s, f->lane);
		break;
	case GCP_REFUSED:
		refused(s, f->lane, VERDICT_REJECTED, why);
		break;
	case GCP_TOO_LARGE:
		refused(s, f->lane, VERDICT_TOO_LARGE, why);
		break;
	case GCP_TOKEN:
		token_refused(s, f, why);
		break;
	case GCP_NOT_ALLOWED:
		not_allowed(s, f, answer, why);
		break;
	case GCP_LATER:
		failed(s, f, answer->retry_after_ms, why);
		break;
	}
}

static void
on_answer(void *arg, const struct answer *answer)
{
	struct flight *f = arg;
	struct gcp_sender *s = f->sender;

	if (answer->status == 0) {
		s->owner->connected(s->owner->core, false);
		failed(s, f, 0, answer->error);
	} else {
		answered(s, f, answer);
	}
	land(s, f);
}

static int
fill(struct flight *f, const struct message *const *messages)
{
	if (gcp_wire_begin(&f->body) == -1)
		return -1;
	for (size_t i = 0; i < lane_out(f->lane); i++)
		if (gcp_wire_add(&f->body, messages[i]) == -1)
			return -1;
	return gcp_wire_end(&f->body);
}

static int
start(struct flight *f, const char *const *credentials)
{
	struct gcp_sender *s = f->sender;
	const char *headers[4] = {"Content-Type: application/json"};
	struct ask ask = {
	    .url = s->url,
	    .headers = headers,
	    .body = f->body.data,
	    .len = f->body.len,
	    .timeout_ms = ANSWER_MS + (int)(f->body.len / BYTES_PER_MS),
	};

	for (size_t i = 0; credentials != NULL && credentials[i] != NULL && i < 2; i++)
		headers[i + 1] = credentials[i];
	f->started_ms = core_now_ms();
	f->request = requests_start(s->requests, &ask, on_answer, f);
	return f->request != NULL ? 0 : -1;
}

/* One request, with what is at the front of a lane. -1: out of memory; it goes out later. */
static int
send_one(struct gcp_sender *s, const char *const *credentials, uint64_t token)
{
	const struct message *messages[GCP_MESSAGES_MAX];
	struct flight *f = take_off(s);
	int result;

	if (f == NULL)
		return -1;
	f->token = token;
	f->lane = lanes_take(s->lanes, BATCH_SIZE, messages);
	result = fill(f, messages);
	s->size_under_way += f->body.len;
	if (result == 0 && start(f, credentials) == 0)
		return 0;
	failed(s, f, 0, "out of memory");
	land(s, f);
	return -1;
}

void
gcp_sender_add(struct gcp_sender *s, struct message *m)
{
	size_t size = gcp_wire_size(m);
	char why[GCP_WHY];

	if (gcp_wire_empty() + size > GCP_REQUEST_MAX) {
		snprintf(why, sizeof(why),
		    "%zu bytes as JSON are over Pub/Sub's limit of %d of a request", size,
		    GCP_REQUEST_MAX);
		verdict(s, m, VERDICT_TOO_LARGE, why);
		return;
	}
	lanes_add(s->lanes, m, size);
}

bool
gcp_sender_unheard(const struct gcp_sender *s)
{
	return !s->heard && s->n_under_way == 0 && !lanes_ready(s->lanes);
}

void
gcp_sender_work(struct gcp_sender *s)
{
	const char *const *credentials = NULL;
	int64_t now = core_now_ms();
	uint64_t token = 0;

	if (s->token != NULL) {
		credentials = gcp_token_headers(s->token, &token);
		if (credentials == NULL)
			return;
	}
	while (lanes_ready(s->lanes) && gcp_pace_allows(&s->pace, s->n_under_way, now) &&
	       s->size_under_way < UNDER_WAY_SIZE) {
		if (send_one(s, credentials, token) == -1)
			return;
	}
}

int
gcp_sender_timeout_ms(const struct gcp_sender *s)
{
	int64_t left = s->pace.resume_ms - core_now_ms();
	uint64_t number;

	if (!lanes_ready(s->lanes) || left <= 0 ||
	    (s->token != NULL && gcp_token_headers(s->token, &number) == NULL))
		return -1;
	return (int)left;
}
