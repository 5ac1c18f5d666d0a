/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/azuresb_message.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

static const char body[] = "the body";

static struct message
example(const char *key, size_t key_len)
{
	return (struct message){
	    .body = (const uint8_t *)body,
	    .len = strlen(body),
	    .attributes = {{"id", "some-id", 7}, {"kind", "Pod", 3}},
	    .n_attributes = 2,
	    .key = key,
	    .key_len = key_len,
	};
}

static bool
is(pn_bytes_t bytes, const char *text)
{
	return bytes.size == strlen(text) && memcmp(bytes.start, text, bytes.size) == 0;
}

/* Is the map NAME → VALUE, NAME → VALUE… of these? */
static bool
map_is(pn_data_t *d, const char *const *words, size_t n)
{
	pn_data_rewind(d);
	if (!pn_data_next(d) || pn_data_get_map(d) != n || !pn_data_enter(d))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!pn_data_next(d))
			return false;
		if (!is(pn_data_type(d) == PN_SYMBOL ? pn_data_get_symbol(d)
						     : pn_data_get_string(d),
			words[i]))
			return false;
	}
	return true;
}

/* The head and the body are, to proton, the message that was meant. */
static void
test_head(struct tap *tap, pn_message_t *scratch)
{
	static const char *const properties[] = {"id", "some-id", "kind", "Pod"};
	static const char *const annotations[] = {"x-opt-partition-key", "c/u"};
	struct message m = example("c/u", 3);
	pn_message_t *read = pn_message();
	pn_data_t *d;
	struct buf bytes;

	buf_init(&bytes, 4096);
	tap_ok(tap, azuresb_message_head(scratch, &m, &bytes) == 0 && bytes.len > 0, "a head");
	tap_ok(tap, azuresb_message_head(scratch, &m, &bytes) == 0, "again, in its place");
	buf_add(&bytes, m.body, m.len);
	tap_ok(tap, pn_message_decode(read, bytes.data, bytes.len) == 0, "it can be read");
	d = pn_message_body(read);
	pn_data_rewind(d);
	tap_ok(tap,
	    pn_message_is_inferred(read) && pn_data_next(d) && pn_data_type(d) == PN_BINARY &&
		is(pn_data_get_binary(d), body) && !pn_data_next(d),
	    "one data section");
	tap_ok(tap,
	    is(pn_message_get_id(read).u.as_bytes, "some-id") && pn_message_is_durable(read) &&
		strcmp(pn_message_get_group_id(read), "c/u") == 0,
	    "id, durable, session");
	tap_ok(tap,
	    map_is(pn_message_properties(read), properties, 4) &&
		map_is(pn_message_annotations(read), annotations, 2),
	    "properties and annotations");
	pn_message_free(read);
	buf_free(&bytes);
}

/* A head longer than the first guess. */
static void
test_long(struct tap *tap, pn_message_t *scratch)
{
	size_t len = 20000;
	char *text = malloc(len + 1);
	struct message m = example("c/u", 3);
	struct buf bytes;

	buf_init(&bytes, 65536);
	if (text != NULL) {
		memset(text, 'x', len);
		text[len] = '\0';
		m.attributes[1] = (struct attribute){"name", text, len};
	}
	tap_ok(tap,
	    text != NULL && azuresb_message_head(scratch, &m, &bytes) == 0 && bytes.len > len,
	    "a long attribute");
	bytes.max = 1024;
	buf_free(&bytes);
	tap_ok(
	    tap, azuresb_message_head(scratch, &m, &bytes) == -1, "one that is over the cap");
	buf_free(&bytes);
	free(text);
}

static void
test_key(struct tap *tap)
{
	char out[AZURESB_KEY_MAX + 1];
	char key[AZURESB_KEY_MAX + 2];

	memset(key, 'k', sizeof(key));
	azuresb_message_key(key, AZURESB_KEY_MAX, out);
	tap_ok(tap, strlen(out) == AZURESB_KEY_MAX && strspn(out, "k") == AZURESB_KEY_MAX,
	    "a key of 128 bytes is itself");
	azuresb_message_key(key, AZURESB_KEY_MAX + 1, out);
	/* printf 'k%.0s' {1..129} | sha256sum */
	tap_ok(tap,
	    strcmp(out, "9094034fb2d0ce2e407c9b260f2806ab2efb352e200722fd6296d9cf1cf7e6f5") ==
		0,
	    "a longer one is its SHA-256");
}

int
main(void)
{
	struct tap tap = {0};
	pn_message_t *scratch = pn_message();

	test_head(&tap, scratch);
	test_long(&tap, scratch);
	test_key(&tap);
	pn_message_free(scratch);
	return tap_done(&tap);
}
