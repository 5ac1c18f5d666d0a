/* SPDX-License-Identifier: Apache-2.0 */
#include "event_id.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* 00faed4c-d365-5d6c-babd-cb12cf27c574: the UUIDv5 of "kollect.event.v1" in the DNS namespace.
 */
static const unsigned char namespace_uuid[16] = {0x00, 0xfa, 0xed, 0x4c, 0xd3, 0x65, 0x5d, 0x6c,
    0xba, 0xbd, 0xcb, 0x12, 0xcf, 0x27, 0xc5, 0x74};

struct event_id {
	EVP_MD *sha1; /* fetched once: a fetch costs more than a hash */
	EVP_MD_CTX *ctx;
};

struct event_id *
event_id_open(void)
{
	struct event_id *maker = calloc(1, sizeof(*maker));

	if (maker == NULL)
		return NULL;
	maker->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	maker->ctx = EVP_MD_CTX_new();
	if (maker->sha1 == NULL || maker->ctx == NULL) {
		event_id_close(maker);
		return NULL;
	}
	return maker;
}

void
event_id_close(struct event_id *maker)
{
	if (maker == NULL)
		return;
	EVP_MD_CTX_free(maker->ctx);
	EVP_MD_free(maker->sha1);
	free(maker);
}

static void
print_uuid(const unsigned char *bytes, char out[EVENT_ID_SIZE])
{
	static const char hex[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = hex[bytes[i] >> 4];
		*out++ = hex[bytes[i] & 15];
	}
	*out = '\0';
}

int
event_id_make(
    struct event_id *maker, const char *const *parts, size_t n, char out[EVENT_ID_SIZE])
{
	unsigned char hash[EVP_MAX_MD_SIZE];

	if (EVP_DigestInit_ex2(maker->ctx, maker->sha1, NULL) != 1 ||
	    EVP_DigestUpdate(maker->ctx, namespace_uuid, sizeof(namespace_uuid)) != 1)
		return -1;
	for (size_t i = 0; i < n; i++)
		if ((i > 0 && EVP_DigestUpdate(maker->ctx, "/", 1) != 1) ||
		    EVP_DigestUpdate(maker->ctx, parts[i], strlen(parts[i])) != 1)
			return -1;
	if (EVP_DigestFinal_ex(maker->ctx, hash, NULL) != 1)
		return -1;
	hash[6] = (unsigned char)((hash[6] & 0x0f) | 0x50); /* version 5 */
	hash[8] = (unsigned char)((hash[8] & 0x3f) | 0x80); /* the RFC's variant */
	print_uuid(hash, out);
	return 0;
}
