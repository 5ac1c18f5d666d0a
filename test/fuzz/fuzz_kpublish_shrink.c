/* SPDX-License-Identifier: Apache-2.0 */
/* The smaller forms of a message (kpublish/message_shrink.c): each is smaller, an Envelope of
 * the same event, and its states say what libjq's parser makes of the whole's, less what is to
 * be left out. */
#include <assert.h>
#include <jv.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "kpublish/message_shrink.h"
#include "kpublish/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The name is the sanitizer's: NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl*) */
const char *__lsan_default_suppressions(void);

/* libjq 1.6 loses some values of texts that it refuses. Our own leaks are still found. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:jv_mem_alloc\n";
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl*) */

/* The last field of this number, as bytes. */
static struct text
field(struct text from, uint64_t number)
{
	const uint8_t *p = (const uint8_t *)from.p;
	struct text found = {NULL, 0};
	struct wire_field f;

	for (const uint8_t *end = p + from.len; from.len > 0 && p < end;) {
		if (wire_next(&p, end, &f) == -1)
			abort(); /* message_read has walked here */
		if (f.number == number && f.type == WIRE_LEN)
			found = (struct text){(const char *)f.p, f.len};
	}
	return found;
}

static jv
without_managed_fields(jv state)
{
	jv metadata = jv_object_get(jv_copy(state), jv_string("metadata"));

	if (jv_get_kind(metadata) == JV_KIND_OBJECT)
		return jv_object_set(state, jv_string("metadata"),
		    jv_object_delete(metadata, jv_string("managedFields")));
	jv_free(metadata);
	return state;
}

static jv
reduced(jv state)
{
	static const char *const kept[] = {"apiVersion", "kind", "metadata"};
	jv out = jv_object();

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		jv value = jv_object_get(jv_copy(state), jv_string(kept[i]));

		if (jv_is_valid(value))
			out = jv_object_set(out, jv_string(kept[i]), value);
		else
			jv_free(value);
	}
	jv_free(state);
	return out;
}

static void
check_state(struct text was, struct text is, bool then, enum shrunk form)
{
	jv want = jv_parse_sized(was.p, (int)was.len);
	jv got;

	if (jv_get_kind(want) != JV_KIND_OBJECT) {
		jv_free(want);
		return;
	}
	got = jv_parse_sized(is.p, (int)is.len);
	assert(jv_is_valid(got));
	if (then)
		want = reduced(want);
	if (form >= SHRUNK_MANAGED_FIELDS)
		want = without_managed_fields(want);
	/* Printed, as no two NaN are equal (and libjq takes nan where we skip). */
	want = jv_dump_string(want, JV_PRINT_SORTED);
	got = jv_dump_string(got, JV_PRINT_SORTED);
	assert(jv_equal(want, got));
}

static void
check_form(const struct message *m)
{
	static const uint64_t numbers[][2] = {{2, 3}, {0, 2}, {16, 0}};
	static const char letters[] = "UCD"; /* Updated, Created, Deleted */
	size_t kind =
	    (size_t)(strchr(letters, m->type.p[strlen("kollect.resource.event.v1.Resource")]) -
		     letters);
	struct text was = field(field(message_whole(m), 4), 2);
	struct text body = {(const char *)m->body, m->len};
	struct text is = field(field(body, 4), 2);

	for (int i = 0; i < 2; i++)
		if (numbers[kind][i] != 0)
			check_state(field(was, numbers[kind][i]), field(is, numbers[kind][i]),
			    i == 0, m->shrunk);
}

static bool
same(struct text a, struct text b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static void
check_message(struct message *m)
{
	size_t len = m->len;

	if (message_keep(m) == -1)
		abort();
	while (message_shrink(m) == 1) {
		struct message again;
		const char *why;

		assert(m->len < len && m->body[m->len - 1] == m->shrunk);
		len = m->len;
		assert(message_read(&again, m->body, m->len, &why) == 0);
		assert(same(again.id, m->id) && same(again.uid, m->uid) &&
		       same(again.type, m->type) && same(again.cluster_id, m->cluster_id) &&
		       again.seq == m->seq && same(again.name, m->name));
		check_form(m);
	}
	message_free(m);
}

static size_t
put_field(uint8_t *to, uint64_t number, const void *bytes, size_t len)
{
	size_t n = frame_header(number << 3 | WIRE_LEN, to);

	n += frame_header(len, to + n);
	memcpy(to + n, bytes, len);
	return n + len;
}

/* An update of one state to the same: what is random reaches the states more often. */
static size_t
wrap(const uint8_t *state, size_t len, uint8_t **envelope)
{
	static const char url[] = "x/kollect.resource.event.v1.ResourceUpdatedEvent";
	size_t room = 2 * len + 256;
	uint8_t *event = malloc(room);
	uint8_t *any = malloc(room);
	size_t event_len;
	size_t any_len;

	*envelope = malloc(room);
	if (event == NULL || any == NULL || *envelope == NULL)
		abort();
	event_len = put_field(event, 2, state, len);
	event_len += put_field(event + event_len, 3, state, len);
	any_len = put_field(any, 1, url, strlen(url));
	any_len += put_field(any + any_len, 2, event, event_len);
	len = put_field(*envelope, 1, "i", 1);
	len += put_field(*envelope + len, 4, any, any_len);
	free(event);
	free(any);
	return len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message m;
	const char *why;
	uint8_t *copy;

	if (size > 0 && data[0] == '{') {
		size = wrap(data, size, &copy);
	} else {
		/* A copy that ends where the input does, so that reading on is seen. */
		copy = malloc(size > 0 ? size : 1);
		if (copy == NULL)
			abort();
		memcpy(copy, data, size);
	}
	if (message_read(&m, copy, size, &why) == 0)
		check_message(&m);
	free(copy);
	return 0;
}
