/* SPDX-License-Identifier: Apache-2.0 */
#include "azuresb_message.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { DATA_HEAD = 8 };

void
azuresb_message_key(const char *key, size_t len, char out[AZURESB_KEY_MAX + 1])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (len <= AZURESB_KEY_MAX) {
		memcpy(out, key, len);
		out[len] = '\0';
		return;
	}
	EVP_Digest(key, len, digest, &n, EVP_sha256(), NULL);
	for (unsigned i = 0; i < n; i++)
		sprintf(out + (size_t)2 * i, "%02x", digest[i]);
}

static pn_bytes_t
bytes_of(const char *text)
{
	return pn_bytes(strlen(text), text);
}

/* Service Bus puts a partition key's messages into one partition. It must be the session id where
 * there is one. */
static void
put_annotations(pn_message_t *to, const char *key)
{
	pn_data_t *d = pn_message_annotations(to);

	pn_data_put_map(d);
	pn_data_enter(d);
	pn_data_put_symbol(d, bytes_of("x-opt-partition-key"));
	pn_data_put_string(d, bytes_of(key));
	pn_data_exit(d);
}

/* gocloud's consumers read strings only. */
static void
put_attributes(pn_message_t *to, const struct message *m)
{
	pn_data_t *d = pn_message_properties(to);

	pn_data_put_map(d);
	pn_data_enter(d);
	for (size_t i = 0; i < m->n_attributes; i++) {
		pn_data_put_string(d, bytes_of(m->attributes[i].name));
		pn_data_put_string(d, pn_bytes(m->attributes[i].len, m->attributes[i].value));
	}
	pn_data_exit(d);
}

static int
encode(pn_message_t *from, struct buf *head)
{
	size_t room = 1024;

	for (;;) {
		char *to = buf_reserve(head, room);
		size_t len = room;
		int error;

		if (to == NULL)
			return -1;
		error = pn_message_encode(from, to, &len);
		if (error == 0) {
			head->len += len;
			return 0;
		}
		errno = ENOMEM;
		if (error != PN_OVERFLOW)
			return -1;
		room *= 2;
	}
}

/* Descriptor and length of a data section with the bytes that follow. Source: AMQP 1.0, 1.6.19
 * and 3.2.6. proton would copy the body to put it there itself. */
static int
add_data_head(struct buf *head, size_t len)
{
	const unsigned char bytes[DATA_HEAD] = {0x00, 0x53, 0x75, 0xb0,
	    (unsigned char)(len >> 24), (unsigned char)(len >> 16), (unsigned char)(len >> 8),
	    (unsigned char)len};

	return buf_add(head, bytes, sizeof(bytes));
}

int
azuresb_message_head(pn_message_t *scratch, const struct message *m, struct buf *head)
{
	char key[AZURESB_KEY_MAX + 1];

	azuresb_message_key(m->key, m->key_len, key);
	head->len = 0;
	pn_message_clear(scratch);
	pn_message_set_durable(scratch, true);
	/* The first attribute is the id: there is no Envelope without. */
	pn_message_set_id(
	    scratch, (pn_msgid_t){.type = PN_STRING,
			 .u.as_bytes = pn_bytes(m->attributes[0].len, m->attributes[0].value)});
	pn_message_set_content_type(scratch, "application/protobuf");
	pn_message_set_group_id(scratch, key);
	put_annotations(scratch, key);
	put_attributes(scratch, m);
	return encode(scratch, head) == 0 ? add_data_head(head, m->len) : -1;
}
