/*
 * Everything that is wrong with a job file, each with its place: "FILE:LINE:COL: spec.path: what is wrong; what would
 * be right". At most PROBLEMS_MAX are kept; then one says how many more there were. Their texts are UTF-8, whatever was
 * given: a byte that is none is a "?".
 */
#ifndef STREAMJOB_PROBLEMS_H
#define STREAMJOB_PROBLEMS_H

#include "lib/base/arena.h"
#include "lib/base/buffer.h"

#define PROBLEMS_MAX 200

struct problem {
	const char *file;
	int line, column; /* from 1; 0 where there is none (JSON from the API server) */
	const char *path; /* "spec.aggregates[1].expr" */
	size_t offset;    /* byte in the text at `path`; PROBLEM_NO_OFFSET: the field as a whole */
	const char *wrong;
	const char *right; /* NULL where `wrong` says it all */
};

#define PROBLEM_NO_OFFSET ((size_t)-1)

struct problems {
	struct problem *items;
	size_t count, dropped;
	struct arena arena;        /* holds copies of all texts */
	struct problems *warnings; /* for what is legal and suspicious; NULL: nobody asks */
	struct problems *unknown;  /* for the fields that jobspecs_load_live leaves out; NULL: nobody asks */
};

void problems_init(struct problems *problems);
void problems_release(struct problems *problems);
/* All texts are copied. */
void problems_add(struct problems *problems, const char *file, int line, int column, const char *path,
                  const char *wrong, const char *right);
/* A problem whose place is known by its path alone; the loader finds file, line and column. */
void problems_add_at(struct problems *problems, const char *path, size_t offset, const char *wrong, const char *right);
/* A line each, in the order of file, line and column. */
void problems_print(const struct problems *problems, struct buffer *out);

/* "path.key" or "path["odd.key"]"; "path[3]". */
const char *path_member(struct arena *arena, const char *path, struct slice key);
const char *path_item(struct arena *arena, const char *path, size_t index);

#endif
