/* SPDX-License-Identifier: Apache-2.0 */
#include "timefmt.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar. */
static int64_t
days_of(int year, int month, int day)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int64_t y = month > 2 ? year : year - 1; /* the last year whose leap day has passed */

	return 365 * ((int64_t)year - 1970) + (y / 4 - y / 100 + y / 400) -
	       (1969 / 4 - 1969 / 100 + 1969 / 400) + before[month - 1] + day - 1;
}

void
timefmt_micro(struct timespec t, char out[TIMEFMT_SIZE])
{
	struct tm tm;

	gmtime_r(&t.tv_sec, &tm);
	snprintf(out, TIMEFMT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ",
	    (tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec, t.tv_nsec / 1000 % 1000000);
}

void
timefmt_now(char out[TIMEFMT_SIZE])
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	timefmt_micro(t, out);
}

/* Two or four digits at text → *value, within [min, max]. */
static bool
digits(const char *text, size_t n, int min, int max, int *value)
{
	*value = 0;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*value = *value * 10 + (text[i] - '0');
	}
	return *value >= min && *value <= max;
}

static bool
date_exists(int year, int month, int day)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return day <= days[month - 1] && (leap || month != 2 || day <= 28);
}

/* "Z" or "±hh:mm", all of text, → seconds east of UTC. */
static bool
zone(const char *text, size_t len, long *seconds)
{
	int hours;
	int minutes;

	*seconds = 0;
	if (len == 1)
		return text[0] == 'Z' || text[0] == 'z';
	if (len != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':' ||
	    !digits(text + 1, 2, 0, 23, &hours) || !digits(text + 4, 2, 0, 59, &minutes))
		return false;
	*seconds = (hours * 60L + minutes) * 60L * (text[0] == '-' ? -1 : 1);
	return true;
}

int
timefmt_parse(const char *text, size_t len, struct timespec *t)
{
	int year, month, day, hour, minute, second;
	long scale = 100000000L;
	long nsec = 0;
	long east;
	size_t i = 19;

	if (len < 20 || text[4] != '-' || text[7] != '-' || (text[10] | 0x20) != 't' ||
	    text[13] != ':' || text[16] != ':' || !digits(text, 4, 1, 9999, &year) ||
	    !digits(text + 5, 2, 1, 12, &month) || !digits(text + 8, 2, 1, 31, &day) ||
	    !digits(text + 11, 2, 0, 23, &hour) || !digits(text + 14, 2, 0, 59, &minute) ||
	    !digits(text + 17, 2, 0, 60, &second) || !date_exists(year, month, day))
		return -1;
	if (text[i] == '.') {
		for (i++; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
			nsec += scale * (text[i] - '0');
			scale /= 10;
		}
		if (i == 20)
			return -1;
	}
	if (!zone(text + i, len - i, &east))
		return -1;
	t->tv_sec = (time_t)(days_of(year, month, day) * 86400 + hour * 3600L + minute * 60L +
			     second - east);
	t->tv_nsec = nsec;
	return 0;
}
