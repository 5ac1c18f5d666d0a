/* SPDX-License-Identifier: Apache-2.0 */
/* What kenvelope reads: a change record, which becomes a frame, which kenvelope --decode
 * prints. */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "kenvelope/brief.h"
#include "kenvelope/envelope.h"
#include "kenvelope/mapping.h"
#include "kenvelope/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_frame(const uint8_t *p, size_t size, const struct record *record)
{
	Kollect__Event__V1__Envelope *envelope;
	struct buf text;
	struct json j;
	uint64_t len;
	int n = frame_varint(p, size, &len);

	assert(n > 0 && (uint64_t)n + len == size);
	envelope = kollect__event__v1__envelope__unpack(NULL, (size_t)len, p + n);
	if (envelope == NULL) /* protobuf-c 1.4.1 checks no UTF-8, so nothing can be wrong */
		abort();
	assert(envelope->seq == record->seq && strlen(envelope->id) == 36);
	buf_init(&text, 64 * size + 65536);
	if (mapping_print(&text, envelope) == -1)
		abort();
	json_init(&j, text.data, text.len);
	json_skip(&j, NULL);
	assert(json_end(&j) == 0);
	text.len = 0;
	if (brief_print(&text, envelope, true) == -1)
		abort();
	buf_free(&text);
	kollect__event__v1__envelope__free_unpacked(envelope, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record record;
	const char *why = NULL;
	size_t at = 0;
	char *line = malloc(size > 0 ? size : 1);
	struct envelope *env = envelope_open();
	struct out out = {.fd = -1};

	if (line == NULL || env == NULL)
		abort();
	memcpy(line, data, size);
	buf_init(&out.pending, (size_t)2 * OUT_BATCH);
	if (record_read(line, size, &record, &why, &at) == -1) {
		assert(why != NULL && at <= size);
	} else if (size < OUT_BATCH / 2) { /* larger ones would be written */
		if (envelope_write(env, &record, "cluster", &out) != ENVELOPE_OK)
			abort();
		check_frame((const uint8_t *)out.pending.data, out.pending.len, &record);
	}
	buf_free(&out.pending);
	envelope_close(env);
	free(line);
	return 0;
}
