/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "tap.h"

static char line[65536];
static size_t line_len;
static int fds[2];

/* What the log has written since the last time. */
static void
read_line(void)
{
	ssize_t n = read(fds[0], line, sizeof(line) - 1);

	line_len = n > 0 ? (size_t)n : 0;
	line[line_len] = '\0';
}

static bool
one_line(void)
{
	return line_len > 0 && memchr(line, '\n', line_len) == line + line_len - 1;
}

/* The member of the JSON line, unescaped, is text. */
static bool
member_is(const char *name, const char *text)
{
	struct json_str value = {.p = NULL};
	struct json_str key;
	struct json j;

	json_init(&j, line, line_len);
	json_enter(&j, '{');
	while (json_member(&j, &key) == 1) {
		if (json_str_is(&key, name))
			json_string(&j, &value);
		else
			json_skip(&j, NULL);
	}
	return json_end(&j) == 0 && json_str_is(&value, text);
}

static bool
is_json(void)
{
	struct json j;

	json_init(&j, line, line_len);
	json_skip(&j, NULL);
	return one_line() && json_end(&j) == 0;
}

int
main(void)
{
	static const char nasty[] = "a\nkwatch: forged\x1b[31m \"q\" \\ \x7f";
	struct tap tap = {0};
	struct log log = {.tool = "kdiff"};
	enum log_format format;
	char flood[3000];

	if (!tap_ok(&tap, pipe(fds) == 0, "a pipe"))
		return tap_done(&tap);
	log.fd = fds[1];
	log_error(&log, "%s: %d", "place", 7);
	read_line();
	tap_ok(&tap, strcmp(line, "kdiff: place: 7\n") == 0, "text: an error");
	log_warning(&log, "careful");
	read_line();
	tap_ok(&tap, strcmp(line, "kdiff: warning: careful\n") == 0, "text: a warning");
	log_info(&log, "%s", nasty);
	read_line();
	tap_ok(&tap, strcmp(line, "kdiff: a\\x0akwatch: forged\\x1b[31m \"q\" \\ \\x7f\n") == 0,
	    "text: control characters are shown, and end no line");
	log_info(&log, "%s",
	    "Gr\xc3\xbc\xc3\x9f"
	    "e");
	read_line();
	tap_ok(&tap,
	    strcmp(line, "kdiff: Gr\xc3\xbc\xc3\x9f"
			 "e\n") == 0,
	    "text: UTF-8 stays");
	log_info(&log, "%s",
	    "a\xff"
	    "b");
	read_line();
	tap_ok(&tap, strcmp(line, "kdiff: a\\xffb\n") == 0, "text: what is not UTF-8 is shown");

	log.format = LOG_LOGFMT;
	log_warning(&log, "%s", nasty);
	read_line();
	tap_ok(&tap,
	    one_line() && strncmp(line, "time=2", 6) == 0 &&
		strstr(line, "Z level=warning tool=kdiff msg=\"a\\u000akwatch: "
			     "forged\\u001b[31m \\\"q\\\" \\\\ "
			     "\\u007f\"\n") != NULL,
	    "logfmt");

	log.format = LOG_JSON;
	log_error(&log, "%s", nasty);
	read_line();
	tap_ok(&tap,
	    is_json() && member_is("msg", nasty) && member_is("level", "error") &&
		member_is("tool", "kdiff"),
	    "JSON: the message comes back as it was");
	log_error(&log, "%s", "bad \xc3 bytes \xff\xfe");
	read_line();
	tap_ok(&tap, is_json(), "JSON: valid when the message is not UTF-8");
	memset(flood, '\x01', sizeof(flood) - 1);
	flood[sizeof(flood) - 1] = '\0';
	log_error(&log, "%s", flood);
	read_line();
	tap_ok(&tap, is_json(), "JSON: valid when all of a cut message needs escapes");
	for (size_t i = 0; i + 1 < sizeof(flood); i++)
		flood[i] = i % 2 ? '\xa4' : '\xc3';
	log_error(&log, "x%s", flood);
	read_line();
	tap_ok(&tap, is_json(), "JSON: valid when the cut is within a character");

	errno = ENOENT;
	log_error(&log, "x");
	tap_ok(&tap, errno == ENOENT, "errno is kept");
	read_line();
	tap_ok(&tap,
	    log_format_parse("logfmt", &format) == 0 && format == LOG_LOGFMT &&
		log_format_parse("text", &format) == 0 && format == LOG_TEXT &&
		log_format_parse("json", &format) == 0 && format == LOG_JSON &&
		log_format_parse("xml", &format) == -1 && log_format_parse("", &format) == -1,
	    "the formats' names");
	return tap_done(&tap);
}
