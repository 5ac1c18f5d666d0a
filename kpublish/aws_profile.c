/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_profile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws_config.h"
#include "file.h"
#include "text.h"

enum { FILE_MAX = 1024 * 1024 };

static const char blank[] = " \t\r";

/* The bytes from begin to end without what is blank around them. */
struct piece {
	const char *p;
	size_t len;
};

static struct piece
trim(const char *begin, const char *end)
{
	while (begin < end && strchr(blank, *begin) != NULL)
		begin++;
	while (end > begin && strchr(blank, end[-1]) != NULL)
		end--;
	return (struct piece){begin, (size_t)(end - begin)};
}

static bool
piece_is(struct piece piece, const char *text)
{
	return piece.len == strlen(text) && memcmp(piece.p, text, piece.len) == 0;
}

/* [NAME], in config [profile NAME] too. */
static bool
opens(struct piece line, const char *name)
{
	static const char profile[] = "profile";
	const char *close = memchr(line.p, ']', line.len);
	struct piece title;

	if (close == NULL)
		return false;
	title = trim(line.p + 1, close);
	if (piece_is(title, name))
		return true;
	if (title.len <= strlen(profile) || memcmp(title.p, profile, strlen(profile)) != 0 ||
	    strchr(blank, title.p[strlen(profile)]) == NULL)
		return false;
	return piece_is(trim(title.p + strlen(profile), close), name);
}

/* Where a value ends: at the line's end, or at a comment behind it. */
static const char *
value_end(const char *begin, const char *end)
{
	for (const char *p = begin; p + 1 < end; p++)
		if ((*p == ' ' || *p == '\t') && (p[1] == '#' || p[1] == ';'))
			return p;
	return end;
}

static int
take(struct aws_section *to, struct piece line)
{
	const char *end = line.p + line.len;
	const char *equals = memchr(line.p, '=', line.len);
	struct piece value;
	struct piece name;
	char **place = NULL;

	if (equals == NULL)
		return 0;
	name = trim(line.p, equals);
	value = trim(equals + 1, value_end(equals + 1, end));
	if (piece_is(name, "aws_access_key_id"))
		place = &to->access;
	else if (piece_is(name, "aws_secret_access_key"))
		place = &to->secret;
	else if (piece_is(name, "aws_session_token"))
		place = &to->token;
	if (place == NULL || *place != NULL || value.len == 0)
		return 0;
	*place = strndup(value.p, value.len);
	return *place != NULL ? 0 : -1;
}

int
aws_profile_section(struct aws_section *to, const char *text, const char *name)
{
	bool inside = false;

	while (*text != '\0') {
		const char *end = strchrnul(text, '\n');
		struct piece line = trim(text, end);

		/* What is indented belongs to a setting of a service's. */
		if (line.len > 0 && line.p == text && *line.p != '#' && *line.p != ';') {
			if (*line.p == '[')
				inside = opens(line, name);
			else if (inside && take(to, line) == -1)
				return -1;
		}
		text = end + (*end == '\n');
	}
	return 0;
}

void
aws_profile_section_free(struct aws_section *section)
{
	free(section->access);
	free(section->secret);
	free(section->token);
	*section = (struct aws_section){.access = NULL};
}

/* The file's path, owned: from the variable, else in ~/.aws. NULL: out of memory, or there is
 * no ~. */
static char *
path_of(const char *variable, const char *name)
{
	const char *path = aws_config_variable(variable);
	const char *home = aws_config_variable("HOME");

	if (path != NULL)
		return strdup(path);
	return home != NULL ? text_printf("%s/.aws/%s", home, name) : NULL;
}

/* Adds what the file says of the profile. 0, or -1 with errno. */
static int
read_one(struct aws_section *to, const char *variable, const char *name, const char *profile)
{
	char *path = path_of(variable, name);
	char *text = NULL;
	size_t len;
	int result = -1;

	errno = ENOENT;
	if (path != NULL)
		text = file_read(path, FILE_MAX, &len);
	if (text != NULL)
		result = aws_profile_section(to, text, profile);
	free(text);
	free(path);
	return result;
}

enum aws_profile
aws_profile_read(struct aws_keys *keys, char *why, size_t why_size)
{
	const char *named = aws_config_variable("AWS_PROFILE");
	const char *profile = named != NULL ? named : "default";
	struct aws_section section = {.access = NULL};
	const char *wrong;
	int credentials =
	    read_one(&section, "AWS_SHARED_CREDENTIALS_FILE", "credentials", profile);
	int saved = errno;
	int result;

	if (read_one(&section, "AWS_CONFIG_FILE", "config", profile) == -1 && credentials == -1)
		snprintf(
		    why, why_size, "AWS_PROFILE: the file of credentials: %s", strerror(saved));
	else
		snprintf(why, why_size,
		    "the profile \"%s\" has no aws_access_key_id and "
		    "aws_secret_access_key (roles, processes and sign-on are not known)",
		    profile);
	if (section.access == NULL && section.secret == NULL) {
		aws_profile_section_free(&section);
		return named != NULL ? AWS_PROFILE_BAD : AWS_PROFILE_NONE;
	}
	result = aws_keys_set(keys, section.access, section.secret, section.token, &wrong);
	if (result == -1)
		snprintf(why, why_size, "the profile \"%s\": %s", profile, wrong);
	aws_profile_section_free(&section);
	return result == 0 ? AWS_PROFILE_KEYS : AWS_PROFILE_BAD;
}
