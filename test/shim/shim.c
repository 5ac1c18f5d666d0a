/* SPDX-License-Identifier: Apache-2.0 */
/* LD_PRELOAD for tests: stands between a tool and the system calls on the files whose path ends
 * in SHIM_FILE, and on standard input and output, and does one of
 *
 *	SHIM_RECORD=FILE    write down each write, truncation and sync, for powerloss.py
 *	SHIM_COUNT=FILE     write down at the end how many calls of each name there were
 *	SHIM_FAIL=NAME:N:E  let the Nth call of that name fail with errno E; E "short": a write or
 *	                    read of one byte. N+: that one and all after it
 *
 * malloc stands for calloc and realloc too. A record is a line of its own: OP OFFSET LENGTH, and
 * the bytes behind it. One thread.
 *
 * The C library's own names for these functions and their parameters are reserved ones.
 * NOLINTBEGIN(readability-inconsistent-declaration-parameter-name,bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

enum call {
	CALL_OPEN,
	CALL_READ,
	CALL_WRITE,
	CALL_WRITEV,
	CALL_PWRITE,
	CALL_FDATASYNC,
	CALL_FTRUNCATE,
	CALL_FALLOCATE,
	CALL_MMAP,
	CALL_MALLOC,
	CALLS,
};

static const char *const names[CALLS] = {[CALL_OPEN] = "open",
    [CALL_READ] = "read",
    [CALL_WRITE] = "write",
    [CALL_WRITEV] = "writev",
    [CALL_PWRITE] = "pwrite",
    [CALL_FDATASYNC] = "fdatasync",
    [CALL_FTRUNCATE] = "ftruncate",
    [CALL_FALLOCATE] = "posix_fallocate",
    [CALL_MMAP] = "mmap",
    [CALL_MALLOC] = "malloc"};

enum { FDS = 64, SHORT = -1 };

/* What the process is like; the one global of a library that has no main. */
static struct shim {
	bool ready;
	bool busy; /* within the shim itself */
	char file[256];
	bool ours[FDS];  /* descriptors of the file */
	bool dsync[FDS]; /* whose writes are durable when they return */
	bool out[FDS];   /* standard output, opened anew perhaps */
	int record;
	int count;
	enum call fail;
	unsigned long fail_at; /* 0: none */
	bool fail_on;          /* and all after it */
	int fail_errno;        /* or SHORT */
	unsigned long calls[CALLS];
} shim = {.record = -1, .count = -1};

/* Puts the function that comes after this library's into the pointer. */
static void
next(const char *name, void *pointer)
{
	void *function = dlsym(RTLD_NEXT, name);

	memcpy(pointer, &function, sizeof(function));
}

/* Descriptors of the shim's own are out of the tool's way. */
static int
open_high(const char *path)
{
	int (*real)(const char *, int, ...);
	int fd;
	int high;

	next("open", &real);
	if (path == NULL)
		return -1;
	fd = real(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	high = fcntl(fd, F_DUPFD_CLOEXEC, 200);
	close(fd);
	return high;
}

static void
parse_fail(const char *text)
{
	char name[32];
	char at[32];
	char what[32];

	if (text == NULL)
		return;
	if (sscanf(text, "%31[^:]:%31[^:]:%31s", name, at, what) != 3)
		abort();
	for (shim.fail = 0; shim.fail < CALLS; shim.fail++)
		if (strcmp(names[shim.fail], name) == 0)
			break;
	if (shim.fail == CALLS)
		abort();
	shim.fail_at = strtoul(at, NULL, 10);
	shim.fail_on = strchr(at, '+') != NULL;
	shim.fail_errno = strcmp(what, "short") == 0 ? SHORT : (int)strtol(what, NULL, 10);
}

__attribute__((constructor)) static void
begin(void)
{
	const char *file = getenv("SHIM_FILE");

	shim.busy = true;
	if (file != NULL)
		snprintf(shim.file, sizeof(shim.file), "%s", file);
	shim.record = open_high(getenv("SHIM_RECORD"));
	shim.count = open_high(getenv("SHIM_COUNT"));
	parse_fail(getenv("SHIM_FAIL"));
	shim.ours[0] = shim.ours[1] = shim.out[1] = true;
	shim.busy = false;
	shim.ready = true;
}

__attribute__((destructor)) static void
end(void)
{
	shim.ready = false;
	for (int i = 0; shim.count != -1 && i < CALLS; i++)
		dprintf(shim.count, "%s %lu\n", names[i], shim.calls[i]);
}

static bool
is_ours(int fd)
{
	return shim.ready && !shim.busy && fd >= 0 && fd < FDS && shim.ours[fd];
}

/* Counts the call; true when it is to fail, with errno set. */
static bool
fails(enum call call)
{
	unsigned long n = ++shim.calls[call];

	if (shim.fail_at == 0 || call != shim.fail ||
	    (shim.fail_on ? n < shim.fail_at : n != shim.fail_at))
		return false;
	errno = shim.fail_errno == SHORT ? 0 : shim.fail_errno;
	return true;
}

static void
record(const char *op, off_t offset, const void *bytes, size_t n)
{
	int saved = errno;

	if (shim.record == -1)
		return;
	shim.busy = true;
	dprintf(shim.record, "%s %lld %zu\n", op, (long long)offset, n);
	for (size_t done = 0; done < n;) {
		ssize_t some = write(shim.record, (const char *)bytes + done, n - done);

		if (some <= 0)
			abort();
		done += (size_t)some;
	}
	shim.busy = false;
	errno = saved;
}

static bool
ends_with(const char *path, const char *end)
{
	size_t a = strlen(path);
	size_t b = strlen(end);

	return b > 0 && a >= b && strcmp(path + a - b, end) == 0;
}

static int
open_as(const char *name, const char *path, int flags, mode_t mode)
{
	int (*real)(const char *, int, ...);
	bool out = strcmp(path, "/proc/self/fd/1") == 0;
	bool ours = shim.ready && !shim.busy && (out || ends_with(path, shim.file));
	int fd;

	next(name, &real);
	if (ours && fails(CALL_OPEN))
		return -1;
	fd = real(path, flags, mode);
	if (fd >= 0 && fd < FDS) {
		shim.ours[fd] = ours;
		shim.out[fd] = out;
		shim.dsync[fd] = (flags & O_DSYNC) != 0;
	}
	return fd;
}

int
open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	return open_as("open", path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	return open_as("open64", path, flags, mode);
}

int
close(int fd)
{
	int (*real)(int);

	next("close", &real);
	if (fd > 1 && fd < FDS)
		shim.ours[fd] = false;
	return real(fd);
}

ssize_t
read(int fd, void *to, size_t n)
{
	ssize_t (*real)(int, void *, size_t);

	next("read", &real);
	if (is_ours(fd) && fails(CALL_READ)) {
		if (shim.fail_errno != SHORT)
			return -1;
		n = n > 0 ? 1 : 0;
	}
	return real(fd, to, n);
}

ssize_t
write(int fd, const void *bytes, size_t n)
{
	ssize_t (*real)(int, const void *, size_t);
	ssize_t done;

	next("write", &real);
	if (!is_ours(fd))
		return real(fd, bytes, n);
	if (fails(CALL_WRITE)) {
		if (shim.fail_errno != SHORT)
			return -1;
		n = n > 0 ? 1 : 0;
	}
	done = real(fd, bytes, n);
	if (done > 0)
		record(shim.out[fd] ? "out" : "append", 0, bytes, (size_t)done);
	return done;
}

/* Many pages that lie side by side are written so, from the offset that was sought. As so many single
 * writes: what the disk makes of them is in no order anyhow. */
static void
record_parts(int fd, const struct iovec *parts, off_t offset, size_t done)
{
	const char *op = shim.dsync[fd] ? "dwrite" : "write";

	for (; done > 0; parts++) {
		size_t n = parts->iov_len < done ? parts->iov_len : done;

		record(shim.out[fd] ? "out" : op, offset, parts->iov_base, n);
		offset += (off_t)n;
		done -= n;
	}
}

ssize_t
writev(int fd, const struct iovec *parts, int n)
{
	ssize_t (*real)(int, const struct iovec *, int);
	struct iovec one;
	off_t offset;
	ssize_t done;

	next("writev", &real);
	if (!is_ours(fd))
		return real(fd, parts, n);
	if (fails(CALL_WRITEV)) {
		if (shim.fail_errno != SHORT)
			return -1;
		one = (struct iovec){.iov_base = parts->iov_base, .iov_len = 1};
		parts = &one;
		n = 1;
	}
	offset = shim.out[fd] ? 0 : lseek(fd, 0, SEEK_CUR);
	done = real(fd, parts, n);
	if (done > 0)
		record_parts(fd, parts, offset, (size_t)done);
	return done;
}

/* A single page, and meta pages. */
static ssize_t
pwrite_as(const char *name, int fd, const void *bytes, size_t n, off_t offset)
{
	ssize_t (*real)(int, const void *, size_t, off_t);
	ssize_t done;

	next(name, &real);
	if (!is_ours(fd))
		return real(fd, bytes, n, offset);
	if (fails(CALL_PWRITE)) {
		if (shim.fail_errno != SHORT)
			return -1;
		n = n > 0 ? 1 : 0;
	}
	done = real(fd, bytes, n, offset);
	if (done > 0)
		record(shim.dsync[fd] ? "dwrite" : "write", offset, bytes, (size_t)done);
	return done;
}

ssize_t
pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
	return pwrite_as("pwrite", fd, bytes, n, offset);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t n, off64_t offset)
{
	return pwrite_as("pwrite64", fd, bytes, n, offset);
}

static ssize_t
pwritev_as(int fd, const struct iovec *parts, int n, off_t offset)
{
	ssize_t sum = 0;

	for (int i = 0; i < n; i++) {
		ssize_t done = pwrite(fd, parts[i].iov_base, parts[i].iov_len, offset + sum);

		if (done < 0)
			return sum > 0 ? sum : -1;
		sum += done;
		if ((size_t)done < parts[i].iov_len)
			break;
	}
	return sum;
}

ssize_t
pwritev(int fd, const struct iovec *parts, int n, off_t offset)
{
	return pwritev_as(fd, parts, n, offset);
}

ssize_t
pwritev64(int fd, const struct iovec *parts, int n, off64_t offset)
{
	return pwritev_as(fd, parts, n, offset);
}

static int
sync_as(const char *name, int fd)
{
	int (*real)(int);
	int result;

	next(name, &real);
	if (is_ours(fd) && fails(CALL_FDATASYNC))
		return -1;
	result = real(fd);
	if (is_ours(fd) && result == 0)
		record("sync", 0, "", 0);
	return result;
}

int
fdatasync(int fd)
{
	return sync_as("fdatasync", fd);
}

int
fsync(int fd)
{
	return sync_as("fsync", fd);
}

static int
ftruncate_as(const char *name, int fd, off_t length)
{
	int (*real)(int, off_t);
	int result;

	next(name, &real);
	if (is_ours(fd) && fails(CALL_FTRUNCATE))
		return -1;
	result = real(fd, length);
	if (is_ours(fd) && result == 0)
		record("truncate", length, "", 0);
	return result;
}

int
ftruncate(int fd, off_t length)
{
	return ftruncate_as("ftruncate", fd, length);
}

int
ftruncate64(int fd, off64_t length)
{
	return ftruncate_as("ftruncate64", fd, length);
}

static int
fallocate_as(const char *name, int fd, off_t offset, off_t length)
{
	int (*real)(int, off_t, off_t);

	next(name, &real);
	if (is_ours(fd) && fails(CALL_FALLOCATE))
		return shim.fail_errno;
	return real(fd, offset, length);
}

int
posix_fallocate(int fd, off_t offset, off_t length)
{
	return fallocate_as("posix_fallocate", fd, offset, length);
}

int
posix_fallocate64(int fd, off64_t offset, off64_t length)
{
	return fallocate_as("posix_fallocate64", fd, offset, length);
}

static void *
mmap_as(const char *name, void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	void *(*real)(void *, size_t, int, int, int, off_t);

	next(name, &real);
	if (is_ours(fd) && fails(CALL_MMAP))
		return MAP_FAILED;
	return real(at, n, protection, flags, fd, offset);
}

void *
mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	return mmap_as("mmap", at, n, protection, flags, fd, offset);
}

void *
mmap64(void *at, size_t n, int protection, int flags, int fd, off64_t offset)
{
	return mmap_as("mmap64", at, n, protection, flags, fd, offset);
}

/* glibc's own names for them, as dlsym itself allocates. */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);

static bool
malloc_fails(void)
{
	return shim.ready && !shim.busy && fails(CALL_MALLOC);
}

void *
malloc(size_t n)
{
	return malloc_fails() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return malloc_fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return malloc_fails() ? NULL : __libc_realloc(p, n);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name,bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
