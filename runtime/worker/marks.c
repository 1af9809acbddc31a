#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "runtime/worker/reach.h"

#define LINKS_MAX 8 /* that lead to nothing */

bool path_is_below(const char *path, const char *folder)
{
	size_t size = strlen(folder);

	return strncmp(path, folder, size) == 0 &&
	       (path[size] == '/' || !path[size] || (size && folder[size - 1] == '/'));
}

void marks_add(struct marks *marks, const char *path, enum reach reach, bool is_file)
{
	for (size_t i = 0; i < marks->count; i++)
		if (strcmp(marks->list[i].path, path) == 0)
			return;
	if (marks->count == MARKS_MAX) {
		marks->too_many = true;
		return;
	}
	marks->list = xrealloc(marks->list, (marks->count + 1) * sizeof(*marks->list));
	marks->list[marks->count++] = (struct mark){xstrdup(path), reach, is_file};
}

/* A link that leads to nothing, made into what it leads to. */
static bool follow(char path[PATH_MAX])
{
	char target[PATH_MAX], from[PATH_MAX];
	ssize_t size = readlink(path, target, sizeof(target) - 1);
	char *slash = strrchr(path, '/');

	if (size < 0)
		return false;
	target[size] = '\0';
	snprintf(from, sizeof(from), "%.*s", target[0] != '/' && slash ? (int)(slash - path + 1) : 0, path);
	return (size_t)snprintf(path, PATH_MAX, "%s%s", from, target) < PATH_MAX;
}

/* The real path of the folders that are there, and the rest as it is. */
static bool real_begin(const char *path, char real[PATH_MAX])
{
	char begin[PATH_MAX];
	size_t size = strlen(path);

	snprintf(begin, sizeof(begin), "%s", path);
	while (!realpath(size ? begin : path[0] == '/' ? "/" : ".", real)) {
		if (errno != ENOENT || !size)
			return false;
		while (size && begin[size - 1] == '/')
			size--;
		while (size && begin[size - 1] != '/')
			size--;
		begin[size] = '\0';
	}
	path += size;
	path += strspn(path, "/");
	if (!*path)
		return true;
	size = strlen(real);
	return (size_t)snprintf(real + size, PATH_MAX - size, "%s%s", real[size - 1] == '/' ? "" : "/", path) <
	       PATH_MAX - size;
}

/* Its real path, as far as it is there: what is missing may come later. Links that lead nowhere are followed. */
static void marks_add_real(struct marks *marks, const char *path, enum reach reach, bool is_file)
{
	char name[PATH_MAX], real[PATH_MAX];
	struct stat there;

	if ((size_t)snprintf(name, sizeof(name), "%s", path) >= sizeof(name))
		return;
	for (int links = 0; links < LINKS_MAX && stat(name, &there) < 0 && follow(name); links++)
		;
	if (real_begin(name, real))
		marks_add(marks, real, reach, is_file);
}

/* Where it is a link: the link itself, which is not to lead elsewhere. */
static void add_link(struct marks *marks, const char *path, enum reach reach)
{
	char folder[PATH_MAX], real[PATH_MAX];
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct stat there;
	size_t size;

	if (lstat(path, &there) < 0 || !S_ISLNK(there.st_mode))
		return;
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
	if (!realpath(folder, real))
		return;
	size = strlen(real);
	if ((size_t)snprintf(real + size, sizeof(real) - size, "/%s", name) < sizeof(real) - size)
		marks_add(marks, real, reach, true);
}

void marks_add_texts(struct marks *marks, struct slice paths, enum reach reach, bool is_file)
{
	while (paths.size) {
		const char *end = memchr(paths.data, '\n', paths.size);
		size_t size = end ? (size_t)(end - paths.data) : paths.size;
		char path[PATH_MAX];
		struct stat there;

		if (size && size < sizeof(path)) {
			memcpy(path, paths.data, size);
			path[size] = '\0';
			if (stat(path, &there) < 0 || S_ISREG(there.st_mode) || S_ISDIR(there.st_mode))
				marks_add_real(marks, path, reach, is_file);
			add_link(marks, path, reach);
		}
		size += end != NULL;
		paths = (struct slice){paths.data + size, paths.size - size};
	}
}

enum reach marks_reach(const struct marks *marks, const char *path)
{
	enum reach reach = REACH_ALL;
	size_t longest = 0;

	for (size_t i = 0; i < marks->count; i++) {
		size_t size = strlen(marks->list[i].path);

		if (size > longest && path_is_below(path, marks->list[i].path)) {
			longest = size;
			reach = marks->list[i].reach;
		}
	}
	return reach;
}

bool marks_split(const struct marks *marks, const char *path, bool folders)
{
	enum reach reach = marks_reach(marks, path);

	for (size_t i = 0; i < marks->count; i++) {
		const struct mark *mark = &marks->list[i];

		if (strcmp(mark->path, path) && path_is_below(mark->path, path) &&
		    (folders ? mark->reach == REACH_NONE && !mark->is_file : mark->reach != reach))
			return true;
	}
	return false;
}
