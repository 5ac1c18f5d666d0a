/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_xml.h"

#include <expat.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "buf.h"

enum {
	TEXT_LEN_MAX = 64 * 1024, /* session tokens are the longest: a few thousand */
	PATH_LEN_MAX = 512,
};

struct reader {
	XML_Parser parser;
	aws_xml_element *element;
	void *arg;
	bool inside; /* the root */
	bool bad;
	struct buf path;
	struct buf text;
};

static void
fail(struct reader *r)
{
	r->bad = true;
	XML_StopParser(r->parser, XML_FALSE);
}

static void
on_begin(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *r = arg;

	(void)attributes;
	r->text.len = 0;
	if (r->inside && ((r->path.len > 0 && buf_addstr(&r->path, "/") == -1) ||
			     buf_addstr(&r->path, name) == -1))
		fail(r);
	r->inside = true;
}

static void
on_end(void *arg, const XML_Char *name)
{
	struct reader *r = arg;
	size_t len = strlen(name);

	if (r->bad || r->path.len == 0) /* the root's own end */
		return;
	if (buf_terminate(&r->path) == -1 || buf_terminate(&r->text) == -1) {
		fail(r);
		return;
	}
	r->element(r->arg, r->path.data, r->text.data, r->text.len);
	r->text.len = 0;
	r->path.len -= len < r->path.len ? len + 1 : len;
}

static void
on_text(void *arg, const XML_Char *text, int len)
{
	struct reader *r = arg;

	if (buf_add(&r->text, text, (size_t)len) == -1)
		fail(r);
}

/* No answer has one; entities are defined in it. */
static void
on_doctype(void *arg, const XML_Char *name, const XML_Char *system, const XML_Char *public,
    int has_subset)
{
	(void)name;
	(void)system;
	(void)public;
	(void)has_subset;
	fail(arg);
}

int
aws_xml_read(const char *xml, size_t len, aws_xml_element *element, void *arg)
{
	struct reader r = {.element = element, .arg = arg};
	int result = -1;

	if (len > INT_MAX)
		return -1;
	r.parser = XML_ParserCreate(NULL);
	if (r.parser == NULL)
		return -1;
	buf_init(&r.path, PATH_LEN_MAX);
	buf_init(&r.text, TEXT_LEN_MAX);
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_begin, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	if (XML_Parse(r.parser, xml, (int)len, XML_TRUE) == XML_STATUS_OK && !r.bad)
		result = 0;
	XML_ParserFree(r.parser);
	buf_free(&r.path);
	buf_free(&r.text);
	return result;
}
