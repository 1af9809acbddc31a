#include "lib/process/container.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN_SHARE 16 /* of the limit */
#define MARGIN_LEAST ((int64_t)4 << 20)
#define MARGIN_MOST  ((int64_t)64 << 20)
#define NO_LIMIT     ((int64_t)1 << 60)
#define TEXT_BYTES   8192

static bool read_text(const char *folder, const char *name, char text[TEXT_BYTES])
{
	char path[PATH_MAX];
	FILE *file;
	size_t size;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path))
		return false;
	file = fopen(path, "re");
	if (!file)
		return false;
	size = fread(text, 1, TEXT_BYTES - 1, file);
	fclose(file);
	text[size] = '\0';
	return size > 0;
}

/* -1: it is not there. "max" is no limit. */
static int64_t read_number(const char *folder, const char *name)
{
	char text[TEXT_BYTES];

	if (!read_text(folder, name, text))
		return -1;
	return strncmp(text, "max", 3) == 0 ? NO_LIMIT : strtoll(text, NULL, 10);
}

/* The number of a line "name 123"; 0 where there is none. */
static int64_t number_of(const char *text, const char *name)
{
	size_t size = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, size) == 0 && (line[size] == ' ' || line[size] == ':'))
			return strtoll(line + size + 1, NULL, 10);
	}
	return 0;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t swap_left(const char *folder, bool second)
{
	char text[TEXT_BYTES];
	int64_t most = read_number(folder, second ? "memory.swap.max" : "memory.memsw.limit_in_bytes");
	int64_t held = read_number(folder, second ? "memory.swap.current" : "memory.memsw.usage_in_bytes");

	if (most < 0 || held < 0 || !read_text("/proc", "meminfo", text))
		return 0;
	return least(most - held, number_of(text, "SwapFree") * 1024);
}

static bool is_near(const char *folder, struct container_memory *ret_memory)
{
	int64_t most = read_number(folder, "memory.max");
	bool second = most >= 0;
	int64_t held = read_number(folder, second ? "memory.current" : "memory.usage_in_bytes"), margin;
	char stat[TEXT_BYTES];

	if (!second)
		most = read_number(folder, "memory.limit_in_bytes");
	if (held < 0 || most <= 0 || most >= NO_LIMIT)
		return false;
	margin = most / MARGIN_SHARE < MARGIN_LEAST ? MARGIN_LEAST : least(most / MARGIN_SHARE, MARGIN_MOST);
	if (held + margin < most || !read_text(folder, "memory.stat", stat))
		return false;
	held -= number_of(stat, second ? "inactive_file" : "total_inactive_file") +
	        number_of(stat, second ? "active_file" : "total_active_file") +
	        (second ? number_of(stat, "slab_reclaimable") : 0);
	*ret_memory = (struct container_memory){held, most, margin};
	return held + margin >= most && swap_left(folder, second) < margin;
}

/* Of /proc/self/cgroup: its path in the hierarchy that counts memory. */
static bool own_path(char path[PATH_MAX], bool *ret_second)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX + 256];
	bool found = false;

	while (file && fgets(line, sizeof(line), file)) {
		char *names = strchr(line, ':'), *at = names ? strchr(names + 1, ':') : NULL;
		bool first;

		if (!at)
			continue;
		*at++ = '\0';
		at[strcspn(at, "\n")] = '\0';
		first = strstr(names, "memory") != NULL;
		if (!first && (found || names[1]))
			continue;
		*ret_second = !first;
		found = (size_t)snprintf(path, PATH_MAX, "%s", at) < PATH_MAX;
	}
	if (file)
		fclose(file);
	return found;
}

/* Where that hierarchy is mounted, and which of its cgroups is there. */
static bool own_mount(bool second, char root[PATH_MAX], char point[PATH_MAX])
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	while (file && !found && getline(&line, &size, file) > 0) {
		const char *type = strstr(line, " - ");

		if (!type || strncmp(type + 3, second ? "cgroup2 " : "cgroup ", second ? 8 : 7) ||
		    (!second && !strstr(type, "memory")))
			continue;
		found = sscanf(line, "%*s %*s %*s %4095s %4095s", root, point) == 2;
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}

/* Empty where there is none. */
static char own_folder[PATH_MAX], top_folder[PATH_MAX];

static void find_own(void)
{
	char path[PATH_MAX], root[PATH_MAX];
	const char *rest = path;
	bool second;

	if (!own_path(path, &second) || !own_mount(second, root, top_folder))
		return;
	if (strcmp(root, "/") && strncmp(path, root, strlen(root)) == 0)
		rest += strlen(root);
	if (strstr(rest, "/..") || strcmp(rest, "/") == 0)
		rest = "";
	if ((size_t)snprintf(own_folder, sizeof(own_folder), "%s%s", top_folder, rest) >= sizeof(own_folder))
		own_folder[0] = '\0';
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

bool container_is_near(const char *folder, struct container_memory *ret_memory)
{
	char at[PATH_MAX];

	if (folder)
		return is_near(folder, ret_memory);
	pthread_once(&once, find_own);
	snprintf(at, sizeof(at), "%s", own_folder);
	while (at[0]) {
		if (is_near(at, ret_memory))
			return true;
		if (strcmp(at, top_folder) == 0)
			return false;
		*strrchr(at, '/') = '\0';
	}
	return false;
}

static int64_t limit_of(const char *folder)
{
	int64_t most = read_number(folder, "memory.max");

	if (most < 0)
		most = read_number(folder, "memory.limit_in_bytes");
	return most > 0 ? most : NO_LIMIT;
}

int64_t container_memory_limit(const char *folder)
{
	int64_t limit = NO_LIMIT;
	char at[PATH_MAX];

	if (!folder)
		pthread_once(&once, find_own);
	snprintf(at, sizeof(at), "%s", folder ? folder : own_folder);
	while (at[0]) {
		limit = least(limit, limit_of(at));
		if (folder || strcmp(at, top_folder) == 0)
			break;
		*strrchr(at, '/') = '\0';
	}
	return limit < NO_LIMIT ? limit : 0;
}
