/*
 * Which files the user's code reaches, by Landlock: all that the pod's rights give, but for what is kept from it.
 * Landlock knows only what is allowed, so a folder in which something is kept is allowed child by child. Under any such
 * ruleset the process can neither trace nor open the memory and the descriptors of one that is outside of it, such as
 * the runtime, not even as root.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/worker/reach.h"
#include "runtime/worker/worker.h"

#define DEPTH_MAX        32
#define FOLDER_RULES_MAX 16384 /* of one folder in which something is kept: the rest of it is not reached, */
#define RULES_MAX        65536 /* nor is anything after these */

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

struct rules {
	int ruleset;
	uint64_t handled;
	struct marks marks;
	const char *code; /* NULL: no folder of its own */
	size_t count;
};

static int add_rule(struct rules *rules, int folder, bool is_folder, uint64_t allowed)
{
	struct path_rule rule = {.parent = folder, .allowed = allowed & rules->handled};

	if (!is_folder)
		rule.allowed &= OF_FILES;
	rules->count++;
	return rule.allowed ? (int)syscall(SYS_landlock_add_rule, rules->ruleset, RULE_PATH, &rule, 0) : 0;
}

static int allow(struct rules *rules, const char *path, uint64_t allowed)
{
	int fd = open(path, O_PATH | O_CLOEXEC), result;
	struct stat there;

	if (fd < 0)
		return 0; /* it is gone, or out of reach for this user in any case */
	result = fstat(fd, &there) < 0 ? 0 : add_rule(rules, fd, S_ISDIR(there.st_mode), allowed);
	close(fd);
	return result;
}

/* A process's folder of /proc, or one of the links to it. */
static bool is_process(const char *name)
{
	return name[strspn(name, "0123456789")] == '\0';
}

static uint64_t rights(enum reach reach)
{
	switch (reach) {
	case REACH_NONE:
		return 0;
	case REACH_READ:
		return READING;
	case REACH_USE:
		return READING | WRITE_FILE;
	case REACH_ALL:
		break;
	}
	return UINT64_MAX;
}

static int allow_reached(struct rules *rules, const char *path, unsigned depth);

static int allow_children(struct rules *rules, const char *path, unsigned depth)
{
	bool of_processes = strcmp(path, "/proc") == 0;
	DIR *folder = opendir(path);
	struct dirent *entry;
	unsigned count = 0;
	int result = 0;

	while (folder && !result && count < FOLDER_RULES_MAX && rules->count < RULES_MAX && (entry = readdir(folder))) {
		char child[PATH_MAX];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || entry->d_type == DT_LNK ||
		    (of_processes && is_process(entry->d_name)) ||
		    (size_t)snprintf(child, sizeof(child), "%s/%s", strcmp(path, "/") ? path : "", entry->d_name) >=
		            sizeof(child))
			continue;
		count++;
		result = allow_reached(rules, child, depth + 1);
	}
	if (folder)
		closedir(folder);
	return result;
}

/* May its names be read? A module of a folder could not be found without. What is kept in it are files, or it is the
 * code's: the names of what is kept below can be read then. */
static bool is_listed(const struct rules *rules, const char *path)
{
	if (rules->code && strcmp(rules->code, path) == 0)
		return true;
	return strcmp(path, "/proc") && strcmp(path, "/") && !marks_split(&rules->marks, path, true);
}

static int allow_reached(struct rules *rules, const char *path, unsigned depth)
{
	enum reach reach = marks_reach(&rules->marks, path);
	bool whole = strcmp(path, "/proc") && strcmp(path, "/") && !marks_split(&rules->marks, path, false);
	int result = 0;

	if (depth > DEPTH_MAX)
		return 0;
	if (whole)
		return reach == REACH_NONE ? 0 : allow(rules, path, rights(reach));
	if (reach != REACH_NONE && is_listed(rules, path))
		result = allow(rules, path, READ_FOLDER);
	return result ? result : allow_children(rules, path, depth);
}

/* What every container has, and what computes; with * the begin of a name. */
static bool is_device(const char *name)
{
	static const char *const devices[] = {"null",        "zero",    "full",        "random", "urandom",
	                                      "tty",         "nvidia*", "dri",         "kfd",    "accel*",
	                                      "infiniband*", "neuron*", "habanalabs*", "dxg"};

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		size_t size = strcspn(devices[i], "*");

		if (strncmp(name, devices[i], size) == 0 && (devices[i][size] || !name[size]))
			return true;
	}
	return false;
}

static void mark_devices(struct marks *marks)
{
	DIR *folder = opendir("/dev");
	struct dirent *entry;

	marks_add(marks, "/dev", REACH_NONE, false);
	while (folder && (entry = readdir(folder))) {
		char path[sizeof("/dev/") + sizeof(entry->d_name)];

		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		if (is_device(entry->d_name))
			marks_add(marks, path, REACH_USE, true);
	}
	if (folder)
		closedir(folder);
}

/* Of the same path the first counts. */
static int mark_all(struct rules *rules, const struct sandbox *wanted, char code[PATH_MAX])
{
	struct marks *marks = &rules->marks;

	marks_add_texts(marks, wanted->kept, REACH_NONE, false);
	marks_add_texts(marks, wanted->outputs, REACH_NONE, true);
	marks_add_texts(marks, wanted->scratch, REACH_ALL, false);
	if (wanted->open.size && wanted->open.size < PATH_MAX) {
		char path[PATH_MAX];

		memcpy(path, wanted->open.data, wanted->open.size);
		path[wanted->open.size] = '\0';
		if (realpath(path, code)) {
			rules->code = code;
			if (marks_reach(marks, code) == REACH_NONE)
				marks_add(marks, code, REACH_READ, false);
		}
	}
	marks_add(marks, "/proc", REACH_READ, false);
	marks_add(marks, "/sys", REACH_READ, false);
	mark_devices(marks);
	return mounts_mark(marks) < 0 || marks->too_many ? -1 : 0;
}

static long version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, RULESET_VERSION);
}

static int begin(struct rules *rules, long known)
{
	struct ruleset ruleset = {.files = READING | WRITE_FILE | CHANGE_FOLDER};

	if (known >= 2)
		ruleset.files |= REFER;
	if (known >= 3)
		ruleset.files |= TRUNCATE;
	if (known >= SCOPE_SINCE)
		ruleset.scoped = SCOPE_SOCKETS | SCOPE_SIGNALS;
	rules->handled = ruleset.files;
	rules->ruleset = (int)syscall(SYS_landlock_create_ruleset, &ruleset,
	                              known >= SCOPE_SINCE ? sizeof(ruleset) : sizeof(ruleset.files), 0);
	return rules->ruleset < 0 ? -1 : 0;
}

int reach_limit(const struct sandbox *wanted)
{
	static struct rules rules; /* the process has one */
	char code[PATH_MAX];
	long known = version();
	int result;

	if (known < 1)
		return wanted->required ? -1 : 0;
	if (mark_all(&rules, wanted, code) < 0 || begin(&rules, known) < 0)
		return -1;
	result = allow_reached(&rules, "/", 0);
	/* Held open: the rule would go with the folder's place in the kernel's cache. Its own memory is not to be
	 * written there: that is in no limit. */
	if (!result)
		result = add_rule(&rules, open("/proc/self", O_PATH | O_CLOEXEC | O_DIRECTORY), true, READING);
	if (!result)
		result = (int)syscall(SYS_landlock_restrict_self, rules.ruleset, 0);
	close(rules.ruleset);
	return result;
}
