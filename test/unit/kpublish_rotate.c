/* SPDX-License-Identifier: Apache-2.0 */
#include "kpublish/rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

enum { PATH_SIZE = 256, NAME_SIZE = PATH_SIZE + 64 };

#define YEAR_2100 4102444800 /* the names of a clock that is behind them are known */

static bool
make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	return fd != -1 && close(fd) == 0;
}

/* Moves a new file at path aside; its name is path with that. */
static bool
becomes(struct rotation *r, const char *path, const char *suffix)
{
	char want[NAME_SIZE];
	bool good;

	snprintf(want, sizeof(want), "%s.%s", path, suffix);
	good = make(path) && rotate_aside(r, path) == 0 && access(path, F_OK) == -1 &&
	       access(want, F_OK) == 0;
	unlink(path);
	return good;
}

static bool
keeps_what_is_there(const char *path)
{
	struct rotation r = {.last = {YEAR_2100, 5000}};
	char there[NAME_SIZE];
	bool good;

	snprintf(there, sizeof(there), "%s.21000101T000000.000006Z", path);
	good = make(there) && becomes(&r, path, "21000101T000000.000007Z") &&
	       access(there, F_OK) == 0;
	return good;
}

static void
remove_all(const char *folder)
{
	char command[NAME_SIZE];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	if (system(command) != 0) /* NOLINT(cert-env33-c): the folder is our own */
		perror(folder);
}

int
main(void)
{
	struct tap tap = {0};
	struct rotation r = {.last = {YEAR_2100, 999998000}};
	char folder[] = "/tmp/kpublish_rotate.XXXXXX";
	char path[PATH_SIZE];

	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/out", folder);
	tap_ok(&tap,
	    becomes(&r, path, "21000101T000000.999999Z") &&
		becomes(&r, path, "21000101T000001.000000Z"),
	    "names rise though the clock has been put back");
	tap_ok(&tap, keeps_what_is_there(path), "no file is replaced");
	r = (struct rotation){.bytes = 0};
	tap_ok(&tap, make(path) && rotate_aside(&r, path) == 0 && r.last.tv_sec > 0,
	    "the time is now");
	tap_ok(&tap, rotate_aside(&r, path) == -1 && errno == ENOENT, "nothing to move");
	tap_ok(&tap, rotate_age_ms(path) == 0 && make(path) && rotate_age_ms(path) < 60000,
	    "the age of none, and of a new one");
	remove_all(folder);
	return tap_done(&tap);
}
