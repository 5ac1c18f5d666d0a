/* SPDX-License-Identifier: Apache-2.0 */
/* What comes from outside for Pub/Sub: answers (kpublish/gcp_wire.c, gcp_grant.c) and
 * credentials files (gcp_credentials.c). The first byte says which. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kpublish/gcp_grant.h"
#include "kpublish/gcp_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_outcome(long status, const char *text, size_t len)
{
	char why[GCP_WHY];
	bool published = gcp_wire_outcome(status, text, len, 1, why) == GCP_PUBLISHED;

	assert(memchr(why, '\0', sizeof(why)) != NULL);
	assert(published == (*why == '\0'));
}

static void
check_credentials(const char *text, size_t len)
{
	struct gcp_credentials c;
	char why[GCP_WHY];

	if (gcp_credentials_read(&c, text, len, why, sizeof(why)) == 0) {
		assert(c.universe != NULL && c.token_uri != NULL);
		assert(c.kind != GCP_EXTERNAL_ACCOUNT || c.source_file != NULL ||
		       c.source_url != NULL);
		gcp_credentials_free(&c);
	}
}

/* An answer to the last request that credentials of this kind make. */
static void
check_grant(struct gcp_credentials *c, long status, const char *text, size_t len)
{
	struct gcp_grant g = {.token = NULL};
	struct answer a = {.status = status, .body = text, .len = len, .error = ""};
	struct ask ask;
	char why[GCP_GRANT_WHY];

	if (gcp_grant_next(&g, c, &ask, why, sizeof(why)) == GCP_GRANT_ASK &&
	    gcp_grant_take(&g, c, &a, why, sizeof(why)) == 0)
		assert(g.subject != NULL || (g.token != NULL && g.lifetime_ms > 0));
	gcp_grant_free(&g);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char url[] = "http://host/path";
	static char field[] = "f";
	struct gcp_credentials metadata = {.kind = GCP_METADATA};
	struct gcp_credentials external = {
	    .kind = GCP_EXTERNAL_ACCOUNT, .source_url = url, .source_field = field};
	/* A copy that ends where the input does, so that reading on is seen. */
	char *text = malloc(size + 1);
	size_t len = size > 0 ? size - 1 : 0;

	if (text == NULL)
		abort();
	memcpy(text, data + (size > 0), len);
	text[len] = '\0';
	switch (size > 0 ? *data : 0) {
	case 'p':
		check_outcome(200, text, len);
		break;
	case 'e':
		check_outcome(400, text, len);
		check_grant(&metadata, 400, text, len);
		break;
	case 't':
		check_grant(&metadata, 200, text, len);
		break;
	case 's':
		check_grant(&external, 200, text, len);
		break;
	case 'c':
		check_credentials(text, len);
		break;
	default:
		break;
	}
	free(text);
	return 0;
}
