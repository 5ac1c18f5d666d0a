/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kwatch/base64.h"
#include "kwatch/kubeconfig.h"
#include "tap.h"

static char dir[] = "/tmp/kwatch_kubeconfig.XXXXXX";

static const char first[] =
    "apiVersion: v1\n"
    "kind: Config\n"
    "current-context: one\n"
    "contexts:\n"
    "- {name: one, context: {cluster: red, user: alice, namespace: x}}\n"
    "clusters:\n"
    "- name: red\n"
    "  cluster:\n"
    "    server: https://red:6443/base/\n"
    "    certificate-authority-data: Y2E=\n"
    "    tls-server-name: api.red\n";

static const char second[] =
    "{\"current-context\": \"two\", \"contexts\": [{\"name\": \"two\", \"context\": "
    "{\"cluster\": \"red\", \"user\": \"bob\"}}], \"users\": [{\"name\": \"alice\", \"user\": "
    "{\"token\": \"t\\u006fken\", \"username\": null}}, {\"name\": \"bob\", \"user\": "
    "{\"tokenFile\": \"sub/t\", \"client-certificate-data\": \"Y2VydA==\", "
    "\"client-key-data\": \"a2V5\"}}], "
    "\"clusters\": [{\"name\": \"red\", \"cluster\": {\"server\": \"https://other\", "
    "\"insecure-skip-tls-verify\": true}}]}";

static char *
put(const char *name, const char *text)
{
	char *path = malloc(200);
	FILE *f;

	if (path == NULL)
		abort();
	snprintf(path, 200, "%s/%s", dir, name);
	f = fopen(path, "we");
	if (f == NULL)
		abort();
	fputs(text, f);
	fclose(f);
	return path;
}

static bool
is(const char *text, const char *expect)
{
	return text != NULL && strcmp(text, expect) == 0;
}

static void
check_merge(struct tap *tap, const char *list, const struct log *log)
{
	struct cluster c = {.log = log};
	char token[200];

	snprintf(token, sizeof(token), "%s/sub/t", dir);
	tap_ok(tap, kubeconfig_load(&c, list, false, NULL) == 0, "two files are merged");
	tap_ok(tap, is(c.server, "https://red:6443/base/"), "the first file's cluster counts");
	tap_ok(tap, !c.insecure, "and nothing of the second's entry of that name");
	tap_ok(tap, is(c.ca.data, "ca") && c.ca.len == 2, "data is decoded");
	tap_ok(tap, is(c.token.data, "token"), "a user that only the second file has (JSON)");
	tap_ok(tap, c.username == NULL, "null is absent");
	tap_ok(tap, cluster_prepare(&c) == 0, "it can be used");
	tap_ok(tap,
	    is(c.base, "https://api.red:6443/base") && is(c.via, "::red:6443") &&
		is(c.host, "Host: red:6443"),
	    "tls-server-name: the certificate's name is asked for, at the server's address");
	cluster_free(&c);
	c = (struct cluster){.log = log};
	tap_ok(tap,
	    kubeconfig_load(&c, list, false, "two") == 0 && is(c.token.file, token) &&
		is(c.cert.data, "cert") && is(c.key.data, "key"),
	    "a named context; paths are relative to their file");
	cluster_free(&c);
	c = (struct cluster){.log = log};
	tap_ok(tap, kubeconfig_load(&c, list, false, "three") == -1,
	    "a context that is not there");
	cluster_free(&c);
}

static bool
decodes(const char *text, const char *expect)
{
	size_t len = 0;
	char *out = base64_decode(text, &len);
	bool same = expect == NULL ? out == NULL
				   : out != NULL && len == strlen(expect) && is(out, expect);

	free(out);
	return same;
}

int
main(void)
{
	const struct log quiet = {.tool = "test", .fd = -1};
	struct tap tap = {0, 0};
	char list[500];
	char *a;
	char *b;

	if (mkdtemp(dir) == NULL)
		return 1;
	a = put("a", first);
	b = put("b", second);
	snprintf(list, sizeof(list), ":%s:%s/missing::%s", a, dir, b);
	check_merge(&tap, list, &quiet);
	tap_ok(&tap,
	    decodes("YQ==", "a") && decodes("YWI=", "ab") && decodes("YWJj", "abc") &&
		decodes("YWJj\n ZGU=\n", "abcde") && decodes("YQ", "a"),
	    "base64");
	tap_ok(&tap,
	    decodes("", NULL) && decodes("=", NULL) && decodes("Y", NULL) &&
		decodes("YQ==x", NULL) && decodes("Y-_=", NULL),
	    "not base64");
	unlink(a);
	unlink(b);
	rmdir(dir);
	free(a);
	free(b);
	return tap_done(&tap);
}
