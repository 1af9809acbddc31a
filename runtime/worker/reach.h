/*
 * What the worker's process may do with paths: marks, of which the longest that a path is below counts. Inside
 * runtime/worker only; one thread.
 */
#ifndef STREAMJOB_WORKER_REACH_H
#define STREAMJOB_WORKER_REACH_H

#include <limits.h>

#include "lib/base/slice.h"

enum reach {
	REACH_NONE,
	REACH_READ,
	REACH_USE, /* read and write what is there, as a device */
	REACH_ALL
};

struct mark {
	char *path;
	enum reach reach;
	bool is_file;
};

#define MARKS_MAX 4096
struct marks {
	struct mark *list; /* malloc'd */
	size_t count;
	bool too_many;
};

bool path_is_below(const char *path, const char *folder);

/* A later mark of the same path does not count. `path` is real. */
void marks_add(struct marks *marks, const char *path, enum reach reach, bool is_file);
/* Each but the last ends with LF. What is there and is no file and no folder (/dev/stdout) is left out. */
void marks_add_texts(struct marks *marks, struct slice paths, enum reach reach, bool is_file);
/* REACH_ALL where there is none. */
enum reach marks_reach(const struct marks *marks, const char *path);
/* Is something below it marked otherwise? With `folders`: a folder that is not reached. */
bool marks_split(const struct marks *marks, const char *path, bool folders);

/* By /proc/self/mountinfo: file systems in memory are read only, Secrets of Kubernetes wherever they are mounted are
 * not reached, nor are other mounts of what is marked REACH_NONE. -1: it cannot be read. */
int mounts_mark(struct marks *marks);

#endif
