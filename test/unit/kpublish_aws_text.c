/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kpublish/aws_text.h"
#include "tap.h"

enum { OUT_MAX = 4096 };

/* What was appended is what is wanted; it is empty again then. */
static bool
gives(struct buf *out, int result, const char *want)
{
	bool same = result == 0 && buf_terminate(out) == 0 && strcmp(out->data, want) == 0;

	buf_free(out);
	return same;
}

static bool
name(const char *text, const char *want)
{
	struct buf out;

	buf_init(&out, OUT_MAX);
	return gives(&out, aws_text_name(&out, text), want);
}

static bool
value(const char *text, const char *want)
{
	struct buf out;

	buf_init(&out, OUT_MAX);
	return gives(&out, aws_text_value(&out, text), want);
}

/* What an id becomes. */
static bool
id(const char *text, size_t len, const char *want)
{
	char got[AWS_ID_SIZE];

	return aws_text_id(got, text, len) == 0 && strcmp(got, want) == 0;
}

static bool
base64(const void *bytes, size_t n, const char *want)
{
	struct buf out;

	buf_init(&out, OUT_MAX);
	return gives(&out, aws_text_base64(&out, bytes, n), want);
}

/* Behind what is there already. */
static bool
base64_form(const void *bytes, size_t n, const char *want)
{
	struct buf out;

	buf_init(&out, OUT_MAX);
	buf_addstr(&out, "+=");
	return gives(&out, aws_text_base64_form(&out, bytes, n), want);
}

static void
test_base64(struct tap *tap)
{
	static const unsigned char special[] = {0xfb, 0xef, 0xff, 0x00};

	tap_ok(tap,
	    base64("", 0, "") && base64("f", 1, "Zg==") && base64("foobar", 6, "Zm9vYmFy"),
	    "base64, RFC 4648");
	tap_ok(tap,
	    aws_text_base64_len(0) == 0 && aws_text_base64_len(1) == 4 &&
		aws_text_base64_len(6) == 8 && aws_text_base64_len(7) == 12,
	    "its length");
	tap_ok(tap,
	    base64_form("", 0, "+=") && base64_form("foobar", 6, "+=Zm9vYmFy") &&
		base64_form(special, 4, "+=%2B%2B%2F%2FAA%3D%3D"),
	    "base64 in a form");
}

int
main(void)
{
	struct tap tap = {0, 0};
	char key[200];

	test_base64(&tap);
	/* As gocloud.dev's escape.HexEscape and url.PathEscape have it. */
	tap_ok(&tap, name("api_version", "api_version") && name("a.b-C9", "a.b-C9"),
	    "names that stay");
	tap_ok(&tap,
	    name(".a..b", "__0x2e__a.__0x2e__b") && name("a b", "a__0x20__b") &&
		name("größe", "gr__0xf6____0xdf__e") && name("😀", "__0x1f600__"),
	    "names that do not");
	tap_ok(&tap, value("a-Z_0.~$&+:=@", "a-Z_0.~$&+:=@"), "a value that stays");
	tap_ok(&tap,
	    value("apps/v1; a,b?c\"\\%", "apps%2Fv1%3B%20a%2Cb%3Fc%22%5C%25") &&
		value("ö", "%C3%B6"),
	    "values that do not");
	tap_ok(&tap, id("c/u-1", 5, "c/u-1") && id("!\"#~", 4, "!\"#~"), "an id that is one");
	memset(key, 'k', sizeof(key));
	tap_ok(&tap,
	    id(key, 129, "9094034fb2d0ce2e407c9b260f2806ab2efb352e200722fd6296d9cf1cf7e6f5") &&
		id("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") &&
		id("a b", 3,
		    "c8687a08aa5d6ed2044328fa6a697ab8e96dc34291e8c2034ae8c38e6fcc6d65") &&
		id("ö", 2, "6dbd11fd012e225b28a5d94a9b432bc491344f3e92158661be2ae5ae2b8b1ad8"),
	    "others become their SHA-256");
	return tap_done(&tap);
}
