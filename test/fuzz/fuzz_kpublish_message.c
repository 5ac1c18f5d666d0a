/* SPDX-License-Identifier: Apache-2.0 */
/* What kpublish reads: frames, and the Envelopes in them (lib/frames.c, kpublish/message.c). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "json.h"
#include "kpublish/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Header values end where they say, hold nothing that could end a header, and are UTF-8. */
static void
check_message(struct message *m, const uint8_t *frame, size_t len)
{
	if (message_keep(m) == -1)
		abort();
	assert(m->len == len && memcmp(m->body, frame, len) == 0);
	assert(m->body != frame && m->key_len > 0 && strlen(m->key) == m->key_len);
	assert(m->n_attributes >= 2 && strcmp(m->attributes[0].name, "id") == 0);
	for (size_t i = 0; i < m->n_attributes; i++) {
		const struct attribute *a = &m->attributes[i];

		assert(a->len > 0 && strlen(a->value) == a->len);
		assert(json_utf8_valid(a->value, a->len));
		assert(strpbrk(a->value, "\r\n") == NULL);
	}
	message_free(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy that ends where the input does, so that reading on is seen. */
	char *copy = malloc(size > 0 ? size : 1);
	struct input in = {.fd = -1, .data = copy, .size = size, .end = size, .max = INPUT_MAX};
	const uint8_t *frame;
	size_t len;
	size_t whole;

	if (copy == NULL)
		abort();
	memcpy(copy, data, size);
	while (frame_next(&in, &frame, &len, &whole) == FRAME_OK) {
		struct message m;
		const char *why;

		assert(whole <= input_len(&in));
		if (message_read(&m, frame, len, &why) == 0)
			check_message(&m, frame, len);
		input_take(&in, whole);
	}
	free(copy);
	return 0;
}
