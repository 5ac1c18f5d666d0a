/* SPDX-License-Identifier: Apache-2.0 */
/* What a broker says (kpublish/rabbit_talk.c, with rabbitmq-c's decoder): whatever it is, the talk
 * goes on or ends with a reason, and a message is confirmed only once. The first byte is how many
 * are out when they begin. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kpublish/rabbit_talk.h"
#include "kpublish/rabbit_unconfirmed.h"

enum { TAGS = 16, OUT_MAX = 1 << 20, PIECE = 7 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
confirmed(void *arg, uint64_t tag, bool multiple, bool taken)
{
	struct message *m;
	bool returned;

	(void)taken;
	while ((m = rabbit_unconfirmed_take(arg, tag, multiple, &returned)) != NULL) {
		assert(m->tag != 0);
		m->tag = 0;
	}
}

static bool
returned(void *arg, const void *id, size_t len, const char *reply)
{
	assert(strlen(reply) < 256);
	return rabbit_unconfirmed_return(arg, id, len);
}

/* In pieces, so that frames are cut anywhere. */
static void
hear(struct rabbit_talk *talk, const uint8_t *data, size_t size)
{
	int result = 0;

	for (size_t at = 0; result == 0 && at < size; at += PIECE) {
		uint8_t piece[PIECE];
		size_t n = size - at < PIECE ? size - at : PIECE;

		memcpy(piece, data + at, n);
		result = rabbit_talk_hear(talk, piece, n);
	}
	assert((result == -1) == rabbit_talk_ended(talk));
	assert(result == 0 || strncmp(rabbit_talk_why(talk), "amqp://h:5672: ", 15) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rabbit_unconfirmed *out = rabbit_unconfirmed_open(TAGS);
	const struct rabbit_hears hears = {out, confirmed, returned};
	struct message messages[TAGS] = {{.id = {"m", 1}}};
	struct rabbit_servers servers;
	struct rabbit_talk *talk;
	struct buf words;
	char *why;

	if (out == NULL || rabbit_url_parse(&servers, "amqp://h", &why) == -1)
		abort();
	for (size_t i = 0; size > 0 && i < data[0] % TAGS; i++) {
		messages[i].id = (struct text){"m", 1};
		rabbit_unconfirmed_add(out, &messages[i]);
	}
	buf_init(&words, OUT_MAX);
	talk = rabbit_talk_open(&servers.server[0], "ex", &hears, &words);
	if (talk == NULL || rabbit_talk_begin(talk) == -1)
		abort();
	if (size > 1)
		hear(talk, data + 1, size - 1);
	rabbit_talk_close(talk);
	buf_free(&words);
	rabbit_url_free(&servers);
	rabbit_unconfirmed_close(out);
	return 0;
}
