/* SPDX-License-Identifier: Apache-2.0 */
/* Messages for people: one line each on standard error, named by the tool. */
#ifndef LOG_H
#define LOG_H

enum log_format {
	LOG_TEXT,   /* kwatch: warning: message */
	LOG_LOGFMT, /* time=… level=warning tool=kwatch msg="message" */
	LOG_JSON,   /* {"time":"…","level":"warning","tool":"kwatch","msg":"message"} */
};

struct log {
	const char *tool; /* argv[0]'s last part; not owned */
	enum log_format format;
	int fd; /* where lines go; standard error in the tools */
};

/* Each writes one line with one write(2), whatever bytes the arguments hold: control
 * characters and what is not UTF-8 are shown as \xNN (\u00NN within quotes), so that input can
 * neither forge nor break a line, and a message over 2,000 bytes is cut. errno is kept. They
 * never fail. */
void log_error(const struct log *log, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_warning(const struct log *log, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_info(const struct log *log, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* "text", "logfmt" or "json" → *format. -1 if it is none of them. */
int log_format_parse(const char *name, enum log_format *format);

#endif
