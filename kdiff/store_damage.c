/* SPDX-License-Identifier: Apache-2.0 */
#include "store_damage.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_boot.h"

/* For the signal's handler, which has no other way to know. Written once, before it is set. */
static struct {
	int dir_fd; /* of a store that can be marked; else -1 */
	size_t len;
	char message[PATH_MAX + 200];
} watched = {.dir_fd = -1};

static void
mark_in(int dir_fd)
{
	int fd = openat(dir_fd, "damaged", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd != -1)
		(void)close(fd);
}

/* The file is shorter than the map, or the disk cannot read it; or LMDB, which trusts its pages,
 * has followed one that makes no sense to where no memory is. */
static void
on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code <= 0 || (sig == SIGBUS && info->si_code != BUS_ADRERR)) {
		/* Sent by someone, or none of ours: it comes again, with its own end. */
		(void)signal(sig, SIG_DFL);
		(void)raise(sig);
		return;
	}
	mark_in(watched.dir_fd);
	(void)!write(STDERR_FILENO, watched.message, watched.len);
	_exit(EXIT_FAILURE);
}

static void
on_assert(MDB_env *env, const char *text)
{
	struct store *s = mdb_env_get_userctx(env);

	store_damage_mark(s);
	log_error(s->log, "%s: the store is damaged (%s)", s->path, text);
	_exit(EXIT_FAILURE);
}

void
store_damage_watch(struct store *s)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	int n = snprintf(watched.message, sizeof(watched.message),
	    "%s: %s: the store cannot be read: it is damaged, or its disk is\n", s->log->tool,
	    s->path);

	watched.len = n > 0 ? (size_t)n : 0;
	watched.dir_fd = s->read_only ? -1 : s->dir.fd;
	(void)mdb_env_set_userctx(s->env, s);
	(void)mdb_env_set_assert(s->env, on_assert);
	(void)sigaction(SIGBUS, &action, NULL);
	(void)sigaction(SIGSEGV, &action, NULL);
}

void
store_damage_unwatch(const struct store *s)
{
	if (watched.dir_fd == s->dir.fd)
		watched.dir_fd = -1;
	(void)signal(SIGBUS, SIG_DFL);
	(void)signal(SIGSEGV, SIG_DFL);
}

void
store_damage_mark(struct store *s)
{
	s->damaged = true;
	if (s->dir.fd != -1 && !s->read_only)
		mark_in(s->dir.fd);
}

/* The directory is locked: nobody else can have made the map too small, or begun with a newer LMDB
 * meanwhile; and all tables are made alike. */
bool
store_damage_is(int rc)
{
	switch (rc) {
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case MDB_MAP_RESIZED:
	case MDB_INCOMPATIBLE:
	case MDB_CURSOR_FULL:
	case MDB_PAGE_FULL:
		return true;
	default:
		return false;
	}
}

const char *
store_damage_before(const struct store *s, bool *missing)
{
	struct stat st;

	*missing = false;
	if (fstatat(s->dir.fd, "store.mdb", &st, 0) == -1) {
		*missing = store_dir_has(&s->dir, "seq");
		return *missing ? "it is missing" : NULL;
	}
	if (store_dir_has(&s->dir, "damaged"))
		return "it made no sense to the run before";
	if (st.st_size == 0 && store_dir_has(&s->dir, "seq"))
		return "it is empty";
	if (store_boot_was_lost(&s->dir))
		return "the machine went down while not every change was on the disk";
	return NULL;
}

const char *
store_damage_open(struct store *s)
{
	struct stat st;

	if (stat(s->path, &st) == 0 && (uint64_t)st.st_size < s->used)
		return "it is shorter than it says";
	return NULL;
}
