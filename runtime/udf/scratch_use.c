/*
 * What a worker's process holds in files: those of its scratch folder, and those without a name that it has open. The
 * folder is the worker's, so nothing of it is followed or opened but folders, and no more is looked at than is named.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "runtime/udf/scratch.h"

#define BLOCK_BYTES 512
#define OPEN_FLAGS  (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static bool in_memory(int fd)
{
	struct statfs system;

	return fstatfs(fd, &system) == 0 && (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC);
}

int scratch_open(int parent, const char *name)
{
	int there = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), fd;
	struct stat status;
	char path[32];

	if (there < 0)
		return -1;
	if (fstat(there, &status) == 0 && (status.st_mode & S_IRWXU) != S_IRWXU) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", there);
		chmod(path, S_IRWXU);
	}
	fd = openat(there, ".", OPEN_FLAGS);
	close(there);
	return fd;
}

static void measure_folder(int fd, unsigned depth, int64_t *bytes, struct scratch_use *use)
{
	DIR *folder = fdopendir(fd);
	struct dirent *entry;

	use->deep |= depth > SCRATCH_DEPTH_MAX;
	while (folder && !use->deep && use->files <= SCRATCH_FILES_MAX && (entry = readdir(folder))) {
		struct stat there;
		int child;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    fstatat(dirfd(folder), entry->d_name, &there, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		use->files++;
		/* one that has several names counts once in all */
		*bytes += S_ISDIR(there.st_mode) || there.st_nlink < 1
		                  ? 0
		                  : there.st_blocks * BLOCK_BYTES / (int64_t)there.st_nlink;
		if (!S_ISDIR(there.st_mode))
			continue;
		child = scratch_open(dirfd(folder), entry->d_name);
		if (child >= 0)
			measure_folder(child, depth + 1, bytes, use);
	}
	if (folder)
		closedir(folder);
	else
		close(fd);
}

/* Is it the first of its descriptors for that file? */
static bool is_new(const struct stat *there, const struct stat *seen, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (seen[i].st_ino == there->st_ino && seen[i].st_dev == there->st_dev)
			return false;
	return true;
}

static void measure_open(pid_t pid, struct scratch_use *use)
{
	enum { FILES_MAX = 256 }; /* RLIMIT_NOFILE */
	struct stat seen[FILES_MAX];
	char path[32];
	DIR *folder;
	struct dirent *entry;
	size_t count = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	folder = opendir(path);
	while (folder && count < FILES_MAX && (entry = readdir(folder))) {
		struct statfs system;
		char link[sizeof(path) + sizeof(entry->d_name) + 1];

		if (fstatat(dirfd(folder), entry->d_name, &seen[count], 0) < 0 || !S_ISREG(seen[count].st_mode) ||
		    seen[count].st_nlink || !is_new(&seen[count], seen, count))
			continue;
		snprintf(link, sizeof(link), "%s/%s", path, entry->d_name);
		if (statfs(link, &system) == 0 && (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC))
			use->memory_bytes += seen[count].st_blocks * BLOCK_BYTES;
		else
			use->disk_bytes += seen[count].st_blocks * BLOCK_BYTES;
		count++;
	}
	if (folder)
		closedir(folder);
}

void scratch_measure(const char *path, pid_t pid, struct scratch_use *ret_use)
{
	int fd = path[0] ? open(path, OPEN_FLAGS) : -1;

	*ret_use = (struct scratch_use){0};
	if (fd >= 0)
		measure_folder(fd, 0, in_memory(fd) ? &ret_use->memory_bytes : &ret_use->disk_bytes, ret_use);
	measure_open(pid, ret_use);
}
