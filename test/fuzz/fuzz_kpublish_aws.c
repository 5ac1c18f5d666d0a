/* SPDX-License-Identifier: Apache-2.0 */
/* What comes from outside for SQS and SNS: answers (kpublish/aws_sqs.c, aws_sns.c, aws_xml.c),
 * keys (aws_keys.c) and the files with profiles (aws_profile.c). The first byte says which. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kpublish/aws_keys.h"
#include "kpublish/aws_profile.h"
#include "kpublish/aws_service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_error(struct aws_error *e)
{
	assert(memchr(e->code, '\0', sizeof(e->code)) != NULL);
	aws_answer_censor(e);
	assert(memchr(e->text, '\0', sizeof(e->text)) != NULL);
	(void)aws_answer_remedy(e, 400);
}

static void
check_service(const struct aws_service *service, const char *text, size_t len)
{
	struct aws_result r[AWS_BATCH_MAX];
	struct aws_error e;

	if (service->read_results(text, len, r) == 0)
		for (size_t i = 0; i < AWS_BATCH_MAX; i++)
			if (r[i].state == AWS_FAILED)
				check_error(&r[i].error);
	service->read_error(text, len, &e);
	check_error(&e);
	(void)service->read_limit(text, len);
}

/* Nothing of them can end a header. */
static void
check_keys(int result, struct aws_keys *k)
{
	if (result == 0) {
		assert(k->access != NULL && k->secret != NULL);
		assert(k->token == NULL || strpbrk(k->token, "\r\n ") == NULL);
	} else {
		assert(k->access == NULL && k->secret == NULL && k->token == NULL);
	}
	aws_keys_free(k);
}

static void
check_profile(const char *text)
{
	struct aws_section section = {.access = NULL};

	if (aws_profile_section(&section, text, "default") == -1)
		abort();
	aws_profile_section_free(&section);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy that ends where the input does, so that reading on is seen. */
	char *text = malloc(size + 1);
	struct aws_keys keys;
	const char *why;
	size_t len = size > 0 ? size - 1 : 0;

	if (text == NULL)
		abort();
	memcpy(text, data + (size > 0), len);
	text[len] = '\0';
	switch (size > 0 ? *data : 0) {
	case 'j':
		check_service(&aws_sqs, text, len);
		break;
	case 'x':
		check_service(&aws_sns, text, len);
		break;
	case 'k':
		check_keys(aws_keys_read_json(&keys, text, len, &why), &keys);
		break;
	case 's':
		check_keys(aws_keys_read_xml(&keys, text, len, &why), &keys);
		break;
	case 'p':
		check_profile(text);
		break;
	default:
		break;
	}
	free(text);
	return 0;
}
