/* SPDX-License-Identifier: Apache-2.0 */
/* A key as text is base32 of a prefix, the key and a check sum. Source:
 * https://github.com/nats-io/nkeys#encoding and its strkey.go */
#include "nats_nkey.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

enum {
	KEY = 32,
	CHECK = 2,
	SEED_PREFIX = 2, /* bytes before the key */
	SEED_BYTES = SEED_PREFIX + KEY + CHECK,
	SEED_TEXT = 58, /* characters */
	PUBLIC_BYTES = 1 + KEY + CHECK,
	USER = 20 << 3,
};

/* RFC 4648, 6, without padding. */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* The text's bytes, as many as out holds. -1: it is not base32. */
static int
decode(const char *text, size_t len, uint8_t *out, size_t size)
{
	uint32_t bits = 0;
	unsigned n = 0;
	size_t done = 0;

	for (size_t i = 0; i < len; i++) {
		const char *digit = memchr(alphabet, text[i], sizeof(alphabet) - 1);

		if (digit == NULL)
			return -1;
		bits = bits << 5 | (uint32_t)(digit - alphabet);
		n += 5;
		if (n >= 8 && done < size)
			out[done++] = (uint8_t)(bits >> (n - 8));
		if (n >= 8)
			n -= 8;
	}
	return done == size ? 0 : -1;
}

static void
encode(const uint8_t *bytes, size_t len, char *out)
{
	uint32_t bits = 0;
	unsigned n = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | bytes[i];
		for (n += 8; n >= 5; n -= 5)
			*out++ = alphabet[bits >> (n - 5) & 31];
	}
	if (n > 0)
		*out++ = alphabet[bits << (5 - n) & 31];
	*out = '\0';
}

/* CRC-16/XMODEM */
static uint16_t
check_sum(const uint8_t *bytes, size_t len)
{
	uint16_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		sum ^= (uint16_t)(bytes[i] << 8);
		for (int bit = 0; bit < 8; bit++)
			sum = (uint16_t)(sum & 0x8000 ? sum << 1 ^ 0x1021 : sum << 1);
	}
	return sum;
}

/* The key of a seed as text. -1: it is none, or not a user's. */
static int
read_seed(const char *text, uint8_t key[KEY])
{
	static const uint8_t prefix[SEED_PREFIX] = {18 << 3 | USER >> 5, (USER & 31) << 3};
	uint8_t bytes[SEED_BYTES];
	uint16_t sum;

	if (decode(text, SEED_TEXT, bytes, sizeof(bytes)) == -1 ||
	    memcmp(bytes, prefix, SEED_PREFIX) != 0)
		return -1;
	sum = check_sum(bytes, SEED_BYTES - CHECK);
	memcpy(key, bytes + SEED_PREFIX, KEY);
	return bytes[SEED_BYTES - 2] == (sum & 0xff) && bytes[SEED_BYTES - 1] == sum >> 8 ? 0
											  : -1;
}

static int
public_of(const uint8_t key[KEY], uint8_t public[KEY])
{
	EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key, KEY);
	size_t len = KEY;
	int good = pair != NULL && EVP_PKEY_get_raw_public_key(pair, public, &len) == 1;

	EVP_PKEY_free(pair);
	return good ? 0 : -1;
}

/* The line that is a user's seed; NULL: none. */
static const char *
find_seed(const char *text)
{
	while (*text != '\0') {
		size_t len;

		text += strspn(text, " \t\r\n");
		len = strcspn(text, " \t\r\n");
		if (len == SEED_TEXT && strncmp(text, "SU", 2) == 0)
			return text;
		text += len;
	}
	return NULL;
}

int
nats_nkey_public(const char *text, char out[NATS_NKEY_SIZE])
{
	const char *seed = find_seed(text);
	uint8_t bytes[PUBLIC_BYTES] = {USER};
	uint8_t key[KEY];
	uint16_t sum;

	if (seed == NULL || read_seed(seed, key) == -1 || public_of(key, bytes + 1) == -1)
		return -1;
	sum = check_sum(bytes, PUBLIC_BYTES - CHECK);
	bytes[PUBLIC_BYTES - 2] = (uint8_t)(sum & 0xff);
	bytes[PUBLIC_BYTES - 1] = (uint8_t)(sum >> 8);
	encode(bytes, sizeof(bytes), out);
	return 0;
}
