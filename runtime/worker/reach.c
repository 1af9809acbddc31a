/*
 * Which files the user's code reaches, by Landlock: all that the pod's rights give, but for what is kept from it.
 * Landlock knows only what is allowed, so a folder in which something is kept is allowed child by child. Under any such
 * ruleset the process can neither trace nor open the memory and the descriptors of one that is outside of it, such as
 * the runtime, not even as root.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/worker/worker.h"

#define KEPT_MAX  32
#define DEPTH_MAX 16

/* Of linux/landlock.h, which older headers have less of. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif
#define RULESET_VERSION 1
#define RULE_PATH       1
#define EXECUTE         (1u << 0)
#define WRITE_FILE      (1u << 1)
#define READ_FILE       (1u << 2)
#define READ_FOLDER     (1u << 3)
#define CHANGE_FOLDER   0x1ff0u    /* remove and make, of every kind */
#define REFER           (1u << 13) /* since version 2: rename from folder to folder */
#define TRUNCATE        (1u << 14) /* 3 */
#define SCOPE_SINCE     6
#define SCOPE_SOCKETS   1u
#define SCOPE_SIGNALS   2u
#define OF_FILES        (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE)
#define READING         (EXECUTE | READ_FILE | READ_FOLDER)

struct ruleset {
	uint64_t files, network, scoped;
};
struct path_rule {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

struct reach {
	int ruleset;
	uint64_t handled;
	char kept[KEPT_MAX][PATH_MAX];
	size_t kept_count;
};

static bool is_below(const char *path, const char *folder)
{
	size_t size = strlen(folder);

	return strncmp(path, folder, size) == 0 &&
	       (path[size] == '/' || !path[size] || (size && folder[size - 1] == '/'));
}

static bool is_kept(const struct reach *reach, const char *path)
{
	for (size_t i = 0; i < reach->kept_count; i++)
		if (is_below(path, reach->kept[i]))
			return true;
	return false;
}

static bool has_kept(const struct reach *reach, const char *path)
{
	for (size_t i = 0; i < reach->kept_count; i++)
		if (is_below(reach->kept[i], path))
			return true;
	return false;
}

static int add_rule(const struct reach *reach, int folder, bool is_folder, uint64_t allowed)
{
	struct path_rule rule = {.parent = folder, .allowed = allowed & reach->handled};

	if (!is_folder)
		rule.allowed &= OF_FILES;
	return (int)syscall(SYS_landlock_add_rule, reach->ruleset, RULE_PATH, &rule, 0);
}

static int allow(const struct reach *reach, const char *path, uint64_t allowed)
{
	int fd = open(path, O_PATH | O_CLOEXEC), result;
	struct stat there;

	if (fd < 0)
		return 0; /* it is gone, or out of reach for this user in any case */
	result = fstat(fd, &there) < 0 ? 0 : add_rule(reach, fd, S_ISDIR(there.st_mode), allowed);
	close(fd);
	return result;
}

/* A process's folder of /proc, or one of the links to it. */
static bool is_process(const char *name)
{
	return name[strspn(name, "0123456789")] == '\0';
}

/* What may be done below `path`. */
static uint64_t rights(const char *path)
{
	return is_below(path, "/proc") || is_below(path, "/sys") ? READING : UINT64_MAX;
}

static int allow_all_but(const struct reach *reach, const char *path, unsigned depth)
{
	bool of_processes = strcmp(path, "/proc") == 0;
	struct dirent *entry;
	DIR *folder;
	int result = 0;

	if (is_kept(reach, path) || depth > DEPTH_MAX)
		return 0;
	if (!has_kept(reach, path) && !of_processes && strcmp(path, "/") != 0)
		return allow(reach, path, rights(path));
	folder = opendir(path);
	while (folder && !result && (entry = readdir(folder))) {
		char child[PATH_MAX];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || entry->d_type == DT_LNK ||
		    (of_processes && is_process(entry->d_name)) ||
		    (size_t)snprintf(child, sizeof(child), "%s/%s", strcmp(path, "/") ? path : "", entry->d_name) >=
		            sizeof(child))
			continue;
		result = allow_all_but(reach, child, depth + 1);
	}
	if (folder)
		closedir(folder);
	return result;
}

static int allow_text(const struct reach *reach, struct slice text)
{
	char path[PATH_MAX];

	if (!text.size || text.size >= sizeof(path))
		return 0;
	memcpy(path, text.data, text.size);
	path[text.size] = '\0';
	return allow(reach, path, READING);
}

/* The real paths of what is there. */
static void keep(struct reach *reach, struct slice paths)
{
	while (paths.size && reach->kept_count < KEPT_MAX) {
		const char *end = memchr(paths.data, '\n', paths.size);
		size_t size = end ? (size_t)(end - paths.data) : paths.size;
		char path[PATH_MAX];

		if (size < sizeof(path)) {
			memcpy(path, paths.data, size);
			path[size] = '\0';
			reach->kept_count += realpath(path, reach->kept[reach->kept_count]) != NULL;
		}
		size += end != NULL;
		paths = (struct slice){paths.data + size, paths.size - size};
	}
}

static long version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, RULESET_VERSION);
}

static int begin(struct reach *reach, long known)
{
	struct ruleset ruleset = {.files = READING | WRITE_FILE | CHANGE_FOLDER};

	if (known >= 2)
		ruleset.files |= REFER;
	if (known >= 3)
		ruleset.files |= TRUNCATE;
	if (known >= SCOPE_SINCE)
		ruleset.scoped = SCOPE_SOCKETS | SCOPE_SIGNALS;
	reach->handled = ruleset.files;
	reach->ruleset = (int)syscall(SYS_landlock_create_ruleset, &ruleset,
	                              known >= SCOPE_SINCE ? sizeof(ruleset) : sizeof(ruleset.files), 0);
	return reach->ruleset < 0 ? -1 : 0;
}

int reach_limit(const struct sandbox *wanted)
{
	static struct reach reach; /* its paths are large */
	long known = version();
	int result;

	if (known < 1)
		return wanted->required ? -1 : 0;
	keep(&reach, wanted->kept);
	if (begin(&reach, known) < 0)
		return -1;
	result = allow_all_but(&reach, "/", 0);
	if (!result)
		result = allow_text(&reach, wanted->open);
	/* Held open: the rule would go with the folder's place in the kernel's cache. Its own memory is not to be
	 * written there: that is in no limit. */
	if (!result)
		result = add_rule(&reach, open("/proc/self", O_PATH | O_CLOEXEC | O_DIRECTORY), true, READING);
	if (!result)
		result = (int)syscall(SYS_landlock_restrict_self, reach.ruleset, 0);
	close(reach.ruleset);
	return result;
}
