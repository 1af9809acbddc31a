#include "runtime/udf/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/base/log.h"

#define NAME         "streamjob-scratch-"
#define OPEN_FLAGS   (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define FOLDER_MODE  0700
#define TRIES_MAX    8
#define PASSES_MAX   100000 /* over a folder that is to be emptied */
#define RENAMED_SIZE 32
/* Of file systems that linux/magic.h does not name. */
#define CIFS   0xff534d42
#define SMB2   0xfe534d42
#define LUSTRE 0x0bd00bd0
#define GFS2   0x01161970

/* Of this process: the folder in which all are. */
static struct {
	pthread_mutex_t mutex;
	char path[PATH_MAX];
	int fd; /* holds its lock */
	unsigned used;
} base = {.mutex = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* One that can be renamed: its owner may write it. */
static bool open_up(int parent, const char *name)
{
	int fd = scratch_open(parent, name);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* A folder's folders go up into `top`, its files go. */
static void lift(int top, const char *name, unsigned *number)
{
	DIR *folder;
	struct dirent *entry;
	int fd = scratch_open(top, name); /* it is a folder, or unlink had taken it away */

	folder = fd < 0 ? NULL : fdopendir(fd);
	while (folder && (entry = readdir(folder))) {
		char up[RENAMED_SIZE];

		if (is_dot(entry->d_name) || unlinkat(fd, entry->d_name, 0) == 0)
			continue;
		snprintf(up, sizeof(up), "lifted-%u", (*number)++);
		if (unlinkat(fd, entry->d_name, AT_REMOVEDIR) < 0 && open_up(fd, entry->d_name))
			renameat(fd, entry->d_name, top, up);
	}
	if (folder)
		closedir(folder);
	else if (fd >= 0)
		close(fd);
	unlinkat(top, name, AT_REMOVEDIR);
}

/* Without recursion: a function can make folders as deep as it likes. */
static void empty(int top)
{
	unsigned number = 0;
	bool more = true;

	for (unsigned pass = 0; more && pass < PASSES_MAX; pass++) {
		int fd = openat(top, ".", OPEN_FLAGS);
		DIR *folder = fd < 0 ? NULL : fdopendir(fd);
		struct dirent *entry;

		more = false;
		while (folder && (entry = readdir(folder))) {
			if (is_dot(entry->d_name) || unlinkat(top, entry->d_name, 0) == 0)
				continue;
			more = true;
			lift(top, entry->d_name, &number);
		}
		if (folder)
			closedir(folder);
		else if (fd >= 0)
			close(fd);
	}
}

static void remove_folder(int parent, const char *path)
{
	int fd = openat(parent, path, OPEN_FLAGS);

	if (fd < 0)
		return;
	fchmod(fd, FOLDER_MODE);
	empty(fd);
	close(fd);
	unlinkat(parent, path, AT_REMOVEDIR);
}

static const char *place(void)
{
	const char *folder = getenv("TMPDIR");

	return folder && folder[0] == '/' ? folder : "/tmp";
}

/* Other machines may have processes with folders there: a lock on a folder is this machine's alone. */
static bool is_shared(int fd)
{
	static const unsigned types[] = {NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CIFS, SMB2,   CEPH_SUPER_MAGIC,
	                                 V9FS_MAGIC,      AFS_SUPER_MAGIC, GFS2, LUSTRE, OCFS2_SUPER_MAGIC};
	struct statfs system;

	if (fstatfs(fd, &system) < 0)
		return true;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((unsigned)system.f_type == types[i])
			return true;
	return false;
}

/* Those of this user whose process is gone: nobody has the lock. */
static void sweep(void)
{
	DIR *folder = opendir(place());
	bool clean = folder && !is_shared(dirfd(folder));
	struct dirent *entry;

	while (clean && (entry = readdir(folder))) {
		struct stat there;
		int fd;

		if (strncmp(entry->d_name, NAME, strlen(NAME)))
			continue;
		fd = openat(dirfd(folder), entry->d_name, OPEN_FLAGS);
		if (fd < 0)
			continue;
		if (fstat(fd, &there) == 0 && there.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0) {
			empty(fd);
			unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
		}
		close(fd);
	}
	if (folder)
		closedir(folder);
}

/* Where the file system knows no locks, none of its folders is removed by another process either. */
static bool try_lock(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

/* One that is ours and locked; another process's sweep may have come between. */
static int make_base(void)
{
	for (int tries = 0; tries < TRIES_MAX; tries++) {
		struct stat there;

		if ((size_t)snprintf(base.path, sizeof(base.path), "%s/" NAME "XXXXXX", place()) >= sizeof(base.path))
			return -1;
		if (!mkdtemp(base.path))
			return -1;
		base.fd = open(base.path, OPEN_FLAGS);
		if (base.fd >= 0 && try_lock(base.fd) && fstat(base.fd, &there) == 0 && there.st_nlink)
			return 0;
		if (base.fd >= 0)
			close(base.fd);
		base.fd = -1;
	}
	return -1;
}

static bool make(char ret_path[PATH_MAX])
{
	if (base.fd < 0) {
		sweep();
		make_base();
	}
	return base.fd >= 0 && (size_t)snprintf(ret_path, PATH_MAX, "%s/XXXXXX", base.path) < PATH_MAX &&
	       mkdtemp(ret_path);
}

void scratch_make(char ret_path[PATH_MAX])
{
	bool made;

	pthread_mutex_lock(&base.mutex);
	made = make(ret_path);
	if (!made && base.fd >= 0 && errno == ENOENT) { /* somebody has cleaned up there */
		close(base.fd);
		base.fd = -1;
		made = make(ret_path);
	}
	base.used += made;
	pthread_mutex_unlock(&base.mutex);
	if (made)
		return;
	log_warn("a function has no folder for temporary files", "folder=\"%s\" error=\"%s\"", place(),
	         strerror(errno));
	ret_path[0] = '\0';
}

void scratch_remove(const char *path)
{
	if (!path[0])
		return;
	remove_folder(AT_FDCWD, path);
	pthread_mutex_lock(&base.mutex);
	if (--base.used == 0 && base.fd >= 0) {
		rmdir(base.path);
		close(base.fd);
		base.fd = -1;
	}
	pthread_mutex_unlock(&base.mutex);
}
