/*
 * What is mounted where. Landlock looks at the path by which a file is reached, so what is kept at one place is kept at
 * each other where the same folder is mounted. A Secret of Kubernetes, wherever the pod has it, is a file system in
 * memory whose folder has a link "..data", or a file of one, from a folder whose name begins with "..".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "runtime/worker/reach.h"

#define MOUNTS_MAX 4096
#define FIELDS     5 /* number, parent, device, root, point */

struct mount {
	char *device, *root, *point;
	bool memory;
};

struct mounts {
	struct mount *list;
	size_t count;
};

/* "\040" and the like become what they stand for. */
static char *unescaped(const char *text)
{
	char *result = xstrdup(text), *to = result;

	for (const char *at = text; *at; at++)
		if (at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' && at[2] <= '7' && at[3] >= '0' &&
		    at[3] <= '7') {
			*to++ = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
			at += 3;
		} else {
			*to++ = *at;
		}
	*to = '\0';
	return result;
}

static bool is_memory(const char *type)
{
	return strcmp(type, "tmpfs") == 0 || strcmp(type, "ramfs") == 0 || strcmp(type, "hugetlbfs") == 0;
}

static void take(struct mounts *mounts, char *line)
{
	char *rest = strstr(line, " - "), *fields[FIELDS], *state = NULL;
	size_t count = 0;

	if (!rest || mounts->count == MOUNTS_MAX)
		return;
	*rest = '\0';
	rest += strlen(" - ");
	rest[strcspn(rest, " \n")] = '\0';
	for (char *field = strtok_r(line, " ", &state); field && count < FIELDS; field = strtok_r(NULL, " ", &state))
		fields[count++] = field;
	if (count < FIELDS)
		return;
	mounts->list = xrealloc(mounts->list, (mounts->count + 1) * sizeof(*mounts->list));
	mounts->list[mounts->count++] =
	        (struct mount){xstrdup(fields[2]), unescaped(fields[3]), unescaped(fields[4]), is_memory(rest)};
}

static int mounts_read(struct mounts *mounts)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return -1;
	while (getline(&line, &size, file) > 0)
		take(mounts, line);
	free(line);
	fclose(file);
	return 0;
}

static void mounts_release(struct mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++) {
		free(mounts->list[i].device);
		free(mounts->list[i].root);
		free(mounts->list[i].point);
	}
	free(mounts->list);
}

static bool is_secret(const struct mount *mount)
{
	char data[PATH_MAX];
	struct stat there;

	if (!mount->memory)
		return false;
	if (strncmp(mount->root, "/..", 3) == 0)
		return true;
	return (size_t)snprintf(data, sizeof(data), "%s/..data", mount->point) < sizeof(data) &&
	       lstat(data, &there) == 0;
}

/* The one that a path is on: of those at the longest point the last. */
static const struct mount *mount_of(const struct mounts *mounts, const char *path)
{
	const struct mount *found = NULL;

	for (size_t i = 0; i < mounts->count; i++)
		if (path_is_below(path, mounts->list[i].point) &&
		    (!found || strlen(mounts->list[i].point) >= strlen(found->point)))
			found = &mounts->list[i];
	return found;
}

static const char *beyond(const char *path, const char *folder)
{
	path += strlen(folder);
	return path + strspn(path, "/");
}

static bool join(char out[PATH_MAX], const char *folder, const char *rest)
{
	const char *between = *rest && folder[strlen(folder) - 1] != '/' ? "/" : "";

	return (size_t)snprintf(out, PATH_MAX, "%s%s%s", folder, between, rest) < PATH_MAX;
}

static void mark_aliases(const struct mounts *mounts, const char *kept, bool is_file, struct marks *marks)
{
	const struct mount *own = mount_of(mounts, kept);
	char inside[PATH_MAX], alias[PATH_MAX];

	if (!own || !join(inside, own->root, beyond(kept, own->point)))
		return;
	for (size_t i = 0; i < mounts->count; i++) {
		const struct mount *other = &mounts->list[i];

		if (other == own || strcmp(other->device, own->device))
			continue;
		if (path_is_below(other->root, inside))
			marks_add(marks, other->point, REACH_NONE, is_file);
		else if (path_is_below(inside, other->root) && join(alias, other->point, beyond(inside, other->root)))
			marks_add(marks, alias, REACH_NONE, is_file);
	}
}

int mounts_mark(struct marks *marks)
{
	struct mounts mounts = {0};

	if (mounts_read(&mounts) < 0)
		return -1;
	marks->too_many |= mounts.count == MOUNTS_MAX;
	for (size_t i = 0; i < mounts.count; i++)
		if (is_secret(&mounts.list[i]))
			marks_add(marks, mounts.list[i].point, REACH_NONE, false);
	for (size_t i = 0, count = marks->count; i < count; i++)
		if (marks->list[i].reach == REACH_NONE) {
			char *kept = xstrdup(marks->list[i].path);

			mark_aliases(&mounts, kept, marks->list[i].is_file, marks);
			free(kept);
		}
	for (size_t i = 0; i < mounts.count; i++)
		if (mounts.list[i].memory && strcmp(mounts.list[i].point, "/"))
			marks_add(marks, mounts.list[i].point,
			          marks_reach(marks, mounts.list[i].point) == REACH_NONE ? REACH_NONE : REACH_READ,
			          false);
	mounts_release(&mounts);
	return 0;
}
