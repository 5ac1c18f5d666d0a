/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_sender.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws_batch.h"
#include "aws_credentials.h"
#include "aws_pace.h"
#include "core.h"
#include "requests.h"
#include "tool.h"

enum {
	REQUESTS_MAX = 16, /* under way at once */
	HEADERS_MAX = 4,
	QUESTION_MAX = 8192,
	TIMEOUT_MS = 15000,
	TIMEOUT_DOUBLINGS = 3, /* after failures: the line may be slow */
	NEWS = 3, /* in turn: being throttled now and then, or an entry's failure, is none */
	WHY_SIZE = 512,
};

struct aws_sender;

/* A request that is gathered, under way, or neither (then it holds no message). */
struct post {
	struct aws_sender *sender;
	bool under_way;
	uint64_t generation; /* of the keys that it was signed with */
	struct aws_batch batch;
};

struct aws_sender {
	const struct bus_owner *owner;
	struct aws_place place;
	struct aws_target target;
	struct requests *requests;
	struct aws_credentials *credentials;
	struct aws_pace pace;

	/* The queue or topic is asked for its limit before anything is sent. */
	bool asking;
	bool asked;
	uint64_t asked_generation;
	struct buf question;
	size_t message_max;
	size_t request_max;

	struct post posts[REQUESTS_MAX + 1];
	struct post *gathered; /* NULL: none is */
	size_t under_way;
};

/* Starts a signed request. 0, or -1: out of memory. */
static int
start(struct aws_sender *s, const char *const *headers, const struct buf *body,
    request_done_fn *done, void *arg)
{
	const char *all[HEADERS_MAX] = {NULL};
	const char *token_header;
	const struct aws_keys *keys = aws_credentials_get(s->credentials, &token_header);
	unsigned doublings =
	    s->pace.failures < TIMEOUT_DOUBLINGS ? s->pace.failures : TIMEOUT_DOUBLINGS;
	char sigv4[AWS_REGION_SIZE + 16];
	struct ask ask = {
	    .url = s->place.config.endpoint,
	    .headers = all,
	    .body = body->data,
	    .len = body->len,
	    .sigv4 = sigv4,
	    .timeout_ms = TIMEOUT_MS << doublings,
	};
	size_t n = 0;

	assert(keys != NULL);
	for (; headers[n] != NULL; n++)
		all[n] = headers[n];
	all[n] = token_header;
	snprintf(sigv4, sizeof(sigv4), "aws:amz:%s:%s", s->place.config.region,
	    s->place.service->name);
	ask.user = keys->access;
	ask.password = keys->secret;
	if (requests_start(s->requests, &ask, done, arg) != NULL)
		return 0;
	s->owner->trouble(s->owner->core, "out of memory");
	return -1;
}

/* May requests be sent now? */
static bool
is_open(const struct aws_sender *s)
{
	const char *header;

	return !s->pace.paused && aws_credentials_get(s->credentials, &header) != NULL;
}

static void
succeeded(struct aws_sender *s, uint64_t generation)
{
	s->owner->connected(s->owner->core, true);
	aws_credentials_accepted(s->credentials, generation);
	aws_pace_succeeded(&s->pace);
}

/* What is wrong with a request, for people. */
static void
explain(const struct aws_sender *s, const struct answer *answer, const struct aws_error *error,
    char why[WHY_SIZE])
{
	const char *endpoint = s->place.config.endpoint;

	if (answer->status == 0)
		snprintf(why, WHY_SIZE, "%s: %s", endpoint, answer->error);
	else if (answer->status == 200)
		snprintf(why, WHY_SIZE, "%s: what answers is not %s", endpoint,
		    s->place.service->name);
	else
		snprintf(why, WHY_SIZE, "%s: %ld%s%s%s%s", endpoint, answer->status,
		    *error->code != '\0' ? " " : "", error->code,
		    *error->text != '\0' ? ": " : "", error->text);
}

/* A request has failed as a whole: what that calls for, and why it did, which is empty where it
 * is no news. */
static enum aws_remedy
failed(struct aws_sender *s, const struct answer *answer, uint64_t generation,
    struct aws_error *error, char why[WHY_SIZE])
{
	enum aws_remedy remedy = AWS_RETRY;

	*error = (struct aws_error){.code = ""};
	if (answer->status != 0 && answer->status != 200) {
		s->place.service->read_error(answer->body, answer->len, error);
		aws_answer_censor(error);
		remedy = aws_answer_remedy(error, answer->status);
	}
	explain(s, answer, error, why);
	if (remedy == AWS_SPLIT || remedy == AWS_SHRINK)
		return remedy;
	if (remedy == AWS_RENEW && aws_credentials_refused(s->credentials, generation))
		*why = '\0';
	aws_pace_failed(&s->pace, core_now_ms(), answer->retry_after_ms);
	if (remedy != AWS_SLOW_DOWN)
		s->owner->connected(s->owner->core, false);
	else if (s->pace.failures < NEWS)
		*why = '\0';
	return remedy;
}

static void
give(const struct aws_sender *s, struct message *m, enum verdict verdict, const char *why)
{
	s->owner->verdict(s->owner->core, m, verdict, *why != '\0' ? why : NULL);
}

/* The request was too large, or one of its messages: which one shows when each goes alone. */
static void
too_large(struct aws_sender *s, struct post *p, enum aws_remedy remedy, const char *why)
{
	struct message *messages[AWS_BATCH_MAX];
	size_t half = p->batch.size / 2;
	size_t n = aws_batch_take(&p->batch, messages);

	if (n == 1) {
		give(s, messages[0], VERDICT_TOO_LARGE, why);
		return;
	}
	if (remedy == AWS_SPLIT && half < s->request_max)
		s->request_max = half;
	for (size_t i = 0; i < n; i++) {
		if (remedy == AWS_SHRINK)
			messages[i]->tag = AWS_TAG_ALONE;
		give(s, messages[i], VERDICT_RETRY, "");
	}
}

/* One message of a request that was taken has failed. */
static void
message_failed(struct aws_sender *s, struct message *m, struct aws_error *error)
{
	enum aws_remedy remedy = aws_answer_remedy(error, 200);
	enum verdict verdict = VERDICT_RETRY;
	char why[WHY_SIZE];

	if (remedy == AWS_SHRINK || remedy == AWS_SPLIT)
		verdict = VERDICT_TOO_LARGE;
	else if (remedy == AWS_REJECT)
		verdict = VERDICT_REJECTED;
	else
		aws_pace_failed(&s->pace, core_now_ms(), 0);
	aws_answer_censor(error);
	snprintf(why, sizeof(why), "%s: %s%s%s", s->place.config.endpoint, error->code,
	    *error->text != '\0' ? ": " : "", error->text);
	give(s, m, verdict, verdict == VERDICT_RETRY && window_attempts(m) < NEWS ? "" : why);
}

static void
taken(struct aws_sender *s, struct post *p, struct aws_result results[AWS_BATCH_MAX])
{
	struct message *messages[AWS_BATCH_MAX];
	size_t n = aws_batch_take(&p->batch, messages);

	succeeded(s, p->generation);
	for (size_t i = 0; i < n; i++) {
		switch (results[i].state) {
		case AWS_SENT:
			give(s, messages[i], VERDICT_ACKED, "");
			break;
		case AWS_FAILED:
			message_failed(s, messages[i], &results[i].error);
			break;
		case AWS_UNKNOWN:
			give(s, messages[i], VERDICT_RETRY, "an answer leaves out a message");
			break;
		}
	}
}

static void
on_sent(void *arg, const struct answer *answer)
{
	struct post *p = arg;
	struct aws_sender *s = p->sender;
	struct aws_result results[AWS_BATCH_MAX];
	struct message *messages[AWS_BATCH_MAX];
	enum aws_remedy remedy;
	struct aws_error error;
	char why[WHY_SIZE];
	size_t n;

	p->under_way = false;
	s->under_way--;
	if (answer->status == 200 &&
	    s->place.service->read_results(answer->body, answer->len, results) == 0) {
		taken(s, p, results);
		return;
	}
	remedy = failed(s, answer, p->generation, &error, why);
	if (remedy == AWS_SPLIT || remedy == AWS_SHRINK) {
		too_large(s, p, remedy, why);
		return;
	}
	/* A request that is wrong in itself is retried too: messages have no part in that, as
	 * nothing of theirs is sent unescaped. */
	n = aws_batch_take(&p->batch, messages);
	for (size_t i = 0; i < n; i++)
		give(s, messages[i], VERDICT_RETRY, why);
}

static void
on_asked(void *arg, const struct answer *answer)
{
	struct aws_sender *s = arg;
	struct aws_error error;
	char why[WHY_SIZE];
	enum aws_remedy remedy;
	size_t limit = 0;

	s->asking = false;
	if (answer->status == 200) {
		succeeded(s, s->asked_generation);
		limit = s->place.service->read_limit(answer->body, answer->len);
	} else {
		remedy = failed(s, answer, s->asked_generation, &error, why);
		/* Who may send need not be allowed to ask. */
		if (!aws_answer_denied(&error) && remedy != AWS_REJECT) {
			if (*why != '\0')
				s->owner->trouble(s->owner->core, "%s", why);
			return;
		}
	}
	s->asked = true;
	if (limit > 0) {
		s->message_max = limit;
		if (s->place.service->one_limit)
			s->request_max = limit;
	}
}

static void
ask(struct aws_sender *s)
{
	const struct aws_service *service = s->place.service;

	if (s->asked || s->asking || !is_open(s))
		return;
	s->question.len = 0;
	s->asked_generation = aws_credentials_generation(s->credentials);
	s->asking = service->ask(&s->question, &s->target) == 0 &&
		    start(s, service->ask_headers, &s->question, on_asked, s) == 0;
}

/* Sends what is gathered, when that may be. */
static void
send_gathered(struct aws_sender *s)
{
	const struct aws_service *service = s->place.service;
	struct post *p = s->gathered;
	size_t len;

	if (p == NULL || s->under_way >= s->pace.allowed || !is_open(s))
		return;
	len = p->batch.body.len;
	p->generation = aws_credentials_generation(s->credentials);
	if (service->end(&p->batch.body) != 0 ||
	    start(s, service->send_headers, &p->batch.body, on_sent, p) == -1) {
		p->batch.body.len = len;
		return;
	}
	p->under_way = true;
	s->under_way++;
	s->gathered = NULL;
}

/* There is one, as there are more than may be under way. */
static struct post *
unused(struct aws_sender *s)
{
	struct post *p = s->posts;

	while (p->under_way)
		p++;
	return p;
}

static void
say_too_large(const struct aws_sender *s, struct message *m, size_t size)
{
	char why[WHY_SIZE];

	snprintf(why, sizeof(why),
	    "%zu bytes in base64 and with attributes are over the limit of %zu", size,
	    s->message_max);
	give(s, m, VERDICT_TOO_LARGE, why);
}

enum bus_send
aws_sender_send(void *bus, struct message *m)
{
	struct aws_sender *s = bus;
	struct post *p = s->gathered;
	size_t size;

	if (!s->asked || !is_open(s) || aws_service_size(m, &size) != 0)
		return BUS_LATER;
	if (size > s->message_max) {
		say_too_large(s, m, size);
		return BUS_TAKEN;
	}
	if (p != NULL && !aws_batch_has_room(&p->batch, m, size, s->request_max)) {
		send_gathered(s);
		p = s->gathered;
		if (p != NULL)
			return BUS_LATER;
	}
	if (p == NULL)
		p = unused(s);
	if (aws_batch_add(&p->batch, s->place.service, &s->target, m, size) == -1)
		return BUS_LATER;
	s->gathered = p;
	if (aws_batch_is_full(&p->batch))
		send_gathered(s);
	return BUS_TAKEN;
}

int
aws_sender_flush(void *bus)
{
	send_gathered(bus);
	return 0;
}

int
aws_sender_fd(void *bus)
{
	return requests_fd(((struct aws_sender *)bus)->requests);
}

static int
sooner(int a, int b)
{
	return a == -1 || (b != -1 && b < a) ? b : a;
}

int
aws_sender_timeout_ms(void *bus)
{
	const struct aws_sender *s = bus;
	int timeout = sooner(
	    requests_timeout_ms(s->requests), aws_credentials_timeout_ms(s->credentials));

	return sooner(timeout, aws_pace_timeout_ms(&s->pace, core_now_ms()));
}

int
aws_sender_work(void *bus)
{
	struct aws_sender *s = bus;

	aws_pace_wake(&s->pace, core_now_ms());
	if (requests_run(s->requests) == -1)
		return -1;
	aws_credentials_work(s->credentials);
	ask(s);
	return 0;
}

void
aws_sender_close(void *bus)
{
	struct aws_sender *s = bus;

	if (s == NULL)
		return;
	aws_credentials_close(s->credentials);
	requests_close(s->requests);
	for (size_t i = 0; i <= REQUESTS_MAX; i++)
		aws_batch_free(&s->posts[i].batch);
	buf_free(&s->question);
	aws_config_free(&s->place.config);
	free(s->place.memory);
	free(s);
}

static bool
ends_in(const char *text, const char *end)
{
	size_t n = strlen(text);

	return n > strlen(end) && strcmp(text + n - strlen(end), end) == 0;
}

void *
aws_sender_open(struct aws_place *place, const struct bus_owner *owner, int *exit_code)
{
	struct aws_sender *s = calloc(1, sizeof(*s));

	*exit_code = EXIT_FAILED;
	if (s == NULL) {
		log_error(owner->log, "out of memory");
		aws_config_free(&place->config);
		free(place->memory);
		return NULL;
	}
	s->owner = owner;
	s->place = *place;
	s->target = (struct aws_target){place->target, ends_in(place->target, ".fifo")};
	s->message_max = place->service->message_max;
	s->request_max = place->service->request_max;
	aws_pace_init(&s->pace, REQUESTS_MAX);
	buf_init(&s->question, QUESTION_MAX);
	for (size_t i = 0; i <= REQUESTS_MAX; i++) {
		s->posts[i].sender = s;
		aws_batch_init(&s->posts[i].batch);
	}
	s->requests = requests_open(owner->log, place->config.ca_file, REQUESTS_MAX);
	if (s->requests != NULL)
		s->credentials =
		    aws_credentials_open(s->requests, s->place.config.region, owner, exit_code);
	if (s->credentials == NULL) {
		aws_sender_close(s);
		return NULL;
	}
	return s;
}
