/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_text.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

size_t
aws_text_base64_len(size_t n)
{
	return (n + 2) / 3 * 4;
}

int
aws_text_base64(struct buf *to, const void *bytes, size_t n)
{
	char *at = buf_reserve(to, aws_text_base64_len(n) + 1); /* it ends in a NUL */

	if (at == NULL)
		return -1;
	to->len += (size_t)EVP_EncodeBlock((unsigned char *)at, bytes, (int)n);
	return 0;
}

static bool
special_in_form(char c)
{
	return c == '+' || c == '/' || c == '=';
}

int
aws_text_base64_form(struct buf *to, const void *bytes, size_t n)
{
	size_t from = to->len;
	size_t special = 0;
	char *end;

	if (aws_text_base64(to, bytes, n) == -1)
		return -1;
	for (size_t i = from; i < to->len; i++)
		special += special_in_form(to->data[i]);
	if (buf_reserve(to, 2 * special) == NULL)
		return -1;
	end = to->data + to->len + 2 * special;
	/* From the end on, so that nothing is written over before it is read. */
	for (size_t i = to->len; special > 0 && i-- > from;) {
		char c = to->data[i];

		if (special_in_form(c)) {
			*--end = c == '+' ? 'B' : c == '/' ? 'F' : 'D';
			*--end = c == '=' ? '3' : '2';
			*--end = '%';
			special--;
			to->len += 2;
		} else {
			*--end = c;
		}
	}
	return 0;
}

/* The character at p, of valid UTF-8, and its length. */
static uint32_t
character(const char *p, size_t *len)
{
	const unsigned char *u = (const unsigned char *)p;
	uint32_t c = *u;

	*len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (*len > 1)
		c &= 0x7fU >> *len;
	for (size_t i = 1; i < *len && u[i] != '\0'; i++)
		c = c << 6 | (u[i] & 0x3f);
	return c;
}

int
aws_text_name(struct buf *to, const char *name)
{
	char before = '.';
	int bad = 0;

	while (bad == 0 && *name != '\0') {
		size_t len;
		uint32_t c = character(name, &len);

		if (c < 0x80 &&
		    (strchr(ALPHANUMERIC "_-", (int)c) != NULL || (c == '.' && before != '.')))
			bad = buf_add(to, name, 1);
		else
			bad = buf_printf(to, "__0x%x__", c);
		before = *name;
		name += len;
	}
	return bad;
}

int
aws_text_value(struct buf *to, const char *value)
{
	int bad = 0;

	while (bad == 0 && *value != '\0') {
		size_t plain = strspn(value, ALPHANUMERIC "-_.~$&+:=@");

		bad = buf_add(to, value, plain);
		value += plain;
		if (bad == 0 && *value != '\0')
			bad = buf_printf(to, "%%%02X", (unsigned char)*value++);
	}
	return bad;
}

/* Letters, digits and punctuation of ASCII. Source:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
static bool
is_id(const char *text, size_t len)
{
	if (len == 0 || len >= AWS_ID_SIZE)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return true;
}

int
aws_text_id(char id[AWS_ID_SIZE], const char *text, size_t len)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len;

	if (is_id(text, len)) {
		memcpy(id, text, len);
		id[len] = '\0';
		return 0;
	}
	if (EVP_Digest(text, len, digest, &digest_len, EVP_sha256(), NULL) != 1)
		return -1;
	for (unsigned i = 0; i < digest_len; i++)
		snprintf(id + (size_t)i * 2, 3, "%02x", digest[i]);
	return 0;
}
