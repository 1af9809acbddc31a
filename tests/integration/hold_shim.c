/*
 * For LD_PRELOAD: a call on the file HOLD_PATH, or on one beside it whose name begins so, waits while a file with the
 * call's name ("read", "write", "fsync", "rename") is in the folder HOLD_FOLDER; it then makes the file "held" there.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS 5000000

static bool is_held(const char *call, const char *path)
{
	const char *wanted = getenv("HOLD_PATH"), *folder = getenv("HOLD_FOLDER");
	char name[PATH_MAX];

	if (!wanted || !folder || strncmp(path, wanted, strlen(wanted)) != 0)
		return false;
	snprintf(name, sizeof(name), "%s/%s", folder, call);
	if (access(name, F_OK) != 0)
		return false;
	snprintf(name, sizeof(name), "%s/held", folder);
	close(open(name, O_WRONLY | O_CREAT, 0644));
	return true;
}

static void hold(const char *call, const char *path)
{
	while (is_held(call, path))
		nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
}

static void hold_fd(const char *call, int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t size;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, path, sizeof(path) - 1);
	path[size > 0 ? size : 0] = '\0';
	hold(call, path);
}

ssize_t write(int fd, const void *buf, size_t n)
{
	ssize_t (*next)(int, const void *, size_t) = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");

	hold_fd("write", fd);
	return next(fd, buf, n);
}

ssize_t read(int fd, void *buf, size_t nbytes)
{
	ssize_t (*next)(int, void *, size_t) = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");

	hold_fd("read", fd);
	return next(fd, buf, nbytes);
}

int fsync(int fd)
{
	int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");

	hold_fd("fsync", fd);
	return next(fd);
}

int rename(const char *old, const char *new)
{
	int (*next)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");

	hold("rename", new);
	return next(old, new);
}
