/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "timefmt.h"

enum { MESSAGE_MAX = 2000, LINE_MAX_BYTES = 6 * MESSAGE_MAX + 256 };

struct line {
	size_t len;
	char text[LINE_MAX_BYTES];
};

static void
line_char(struct line *line, char c)
{
	if (line->len < sizeof(line->text) - 1)
		line->text[line->len++] = c;
}

static void
line_text(struct line *line, const char *text)
{
	while (*text != '\0')
		line_char(line, *text++);
}

/* The message, so that no byte of it can end the line or leave its quotes. */
static void
line_message(struct line *line, const char *text, bool json)
{
	static const char hex[] = "0123456789abcdef";
	/* In bytes that are not UTF-8 (or cut within a character) all but ASCII is shown. */
	bool utf8 = json_utf8_valid(text, strlen(text));

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f || (c > 0x7f && !utf8)) {
			line_text(line, json ? "\\u00" : "\\x");
			line_char(line, hex[c >> 4]);
			line_char(line, hex[c & 15]);
		} else {
			if (json && (c == '"' || c == '\\'))
				line_char(line, '\\');
			line_char(line, (char)c);
		}
	}
}

static void
line_logfmt_message(struct line *line, const char *text)
{
	line_char(line, '"');
	line_message(line, text, true);
	line_char(line, '"');
}

__attribute__((format(printf, 3, 0))) static void
log_line(const struct log *log, const char *level, const char *fmt, va_list ap)
{
	int saved = errno;
	char message[MESSAGE_MAX];
	char now[TIMEFMT_SIZE];
	struct line line = {.len = 0};
	ssize_t n;

	vsnprintf(message, sizeof(message), fmt, ap);
	timefmt_now(now);
	switch (log->format) {
	case LOG_TEXT:
		line_text(&line, log->tool);
		line_text(&line, ": ");
		if (strcmp(level, "warning") == 0)
			line_text(&line, "warning: ");
		line_message(&line, message, false);
		break;
	case LOG_LOGFMT:
		line_text(&line, "time=");
		line_text(&line, now);
		line_text(&line, " level=");
		line_text(&line, level);
		line_text(&line, " tool=");
		line_text(&line, log->tool);
		line_text(&line, " msg=");
		line_logfmt_message(&line, message);
		break;
	case LOG_JSON:
		line_text(&line, "{\"time\":\"");
		line_text(&line, now);
		line_text(&line, "\",\"level\":\"");
		line_text(&line, level);
		line_text(&line, "\",\"tool\":\"");
		line_text(&line, log->tool);
		line_text(&line, "\",\"msg\":");
		line_logfmt_message(&line, message);
		line_char(&line, '}');
		break;
	}
	line.text[line.len++] = '\n';
	do
		n = write(log->fd, line.text, line.len);
	while (n == -1 && errno == EINTR);
	errno = saved;
}

void
log_error(const struct log *log, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(log, "error", fmt, ap);
	va_end(ap);
}

void
log_warning(const struct log *log, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(log, "warning", fmt, ap);
	va_end(ap);
}

void
log_info(const struct log *log, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(log, "info", fmt, ap);
	va_end(ap);
}

int
log_format_parse(const char *name, enum log_format *format)
{
	static const char *const names[] = {"text", "logfmt", "json"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0) {
			*format = (enum log_format)i;
			return 0;
		}
	}
	return -1;
}
