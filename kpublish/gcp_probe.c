/* SPDX-License-Identifier: Apache-2.0 */
#include "gcp_probe.h"

#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "gcp_json.h"
#include "gcp_wire.h"
#include "text.h"

enum { ANSWER_MS = 10000, AGAIN_MS = 5000 };

static const char permission[] = "pubsub.topics.publish";
static const char body[] = "{\"permissions\":[\"pubsub.topics.publish\"]}";

struct gcp_probe {
	const struct gcp_target *target;
	struct requests *requests;
	struct gcp_token *token;
	const struct bus_owner *owner;
	char *url;
	struct request *request;
	uint64_t number; /* of the token */
	int64_t next_ms;
	bool done;
};

struct gcp_probe *
gcp_probe_open(const struct gcp_target *target, struct requests *requests,
    struct gcp_token *token, const struct bus_owner *owner)
{
	struct gcp_probe *p = calloc(1, sizeof(*p));

	if (p != NULL) {
		p->target = target;
		p->requests = requests;
		p->token = token;
		p->owner = owner;
		p->url =
		    text_printf("%s/v1/%s:testIamPermissions", target->base, target->topic);
	}
	if (p == NULL || p->url == NULL) {
		log_error(owner->log, "out of memory");
		gcp_probe_close(p);
		return NULL;
	}
	return p;
}

void
gcp_probe_close(struct gcp_probe *p)
{
	if (p == NULL)
		return;
	requests_cancel(p->request);
	free(p->url);
	free(p);
}

static void
done(struct gcp_probe *p)
{
	p->done = true;
	p->owner->connected(p->owner->core, true);
}

/* Which of the permissions there are: {} for none, also where there is no such topic. */
static void
permitted(struct gcp_probe *p, const struct answer *answer)
{
	char *list = gcp_json_get(answer->body, answer->len, "permissions", NULL);

	if (list != NULL && strstr(list, permission) != NULL)
		done(p);
	else
		p->owner->trouble(p->owner->core,
		    "%s: the topic %s is not there, or lacks the role roles/pubsub.publisher "
		    "for us",
		    p->target->host, p->target->topic);
	free(list);
}

static void
on_answer(void *arg, const struct answer *answer)
{
	struct gcp_probe *p = arg;
	char why[GCP_WHY];

	p->request = NULL;
	if (answer->status == 0) {
		p->owner->trouble(p->owner->core, "%s: %s", p->target->host, answer->error);
		return;
	}
	if (answer->status == 200) {
		permitted(p, answer);
		return;
	}
	switch (gcp_wire_outcome(answer->status, answer->body, answer->len, 0, why)) {
	case GCP_TOKEN:
		if (p->token != NULL)
			gcp_token_refused(p->token, p->number, why);
		break;
	case GCP_LATER:
		if (answer->status != 501) {
			p->owner->trouble(p->owner->core, "%s: %s", p->target->host, why);
			break;
		}
		done(p);
		break;
	default: /* an emulator does not know the question */
		done(p);
		break;
	}
}

void
gcp_probe_work(struct gcp_probe *p)
{
	const char *headers[4] = {"Content-Type: application/json"};
	const char *const *credentials = NULL;
	struct ask ask = {
	    .url = p->url,
	    .headers = headers,
	    .body = body,
	    .len = strlen(body),
	    .timeout_ms = ANSWER_MS,
	};
	int64_t now = core_now_ms();

	if (p->done || p->request != NULL || now < p->next_ms)
		return;
	if (p->token != NULL) {
		credentials = gcp_token_headers(p->token, &p->number);
		if (credentials == NULL)
			return;
	}
	for (size_t i = 0; credentials != NULL && credentials[i] != NULL && i < 2; i++)
		headers[i + 1] = credentials[i];
	p->next_ms = now + AGAIN_MS;
	p->request = requests_start(p->requests, &ask, on_answer, p);
}
