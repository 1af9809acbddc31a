/*
 * The paths of the columns that a job reads, as one tree: inside runtime/decode only.
 */
#ifndef STREAMJOB_DECODE_PATH_H
#define STREAMJOB_DECODE_PATH_H

#include "lib/base/arena.h"
#include "lib/base/error.h"
#include "lib/spec/field/jobspec.h"

struct path_node {
	bool is_index;
	uint32_t index;    /* of an array's element */
	struct slice name; /* of an object's member */
	struct path_node *children;
	size_t children_count;
	size_t *columns; /* that end here */
	size_t columns_count;
	uint64_t row; /* in which it was seen last: a second time is a duplicate key */
	size_t next;  /* the child that followed last time: fields come in the same order row after row */
};

/* Adds a column's path below `root`; nodes are in the arena. The path is valid. */
void path_add(struct path_node *root, struct slice path, size_t column, struct arena *arena);

#endif
