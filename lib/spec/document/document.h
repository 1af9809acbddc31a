/*
 * YAML as a tree in which every node knows its place. JSON is YAML. An alias is the anchored node itself; a merge key
 * (<<: *defaults) is gone, and what it brings is there.
 *
 * Lines and columns count from 1, columns in characters. Nodes live in the arena that was given; scalars' `start` and
 * node_place need the text, which stays the caller's.
 */
#ifndef STREAMJOB_DOCUMENT_H
#define STREAMJOB_DOCUMENT_H

#include "lib/base/arena.h"
#include "lib/base/buffer.h"

#define DOCUMENT_DEPTH_MAX 200
#define FILE_NODES_MAX     500000
/* With every alias written out: what one document may weigh to be looked at. */
#define DOCUMENT_WEIGHT_MAX 100000

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };
enum scalar_style { SCALAR_PLAIN, SCALAR_SINGLE_QUOTED, SCALAR_DOUBLE_QUOTED, SCALAR_LITERAL, SCALAR_FOLDED };
/* What a plain scalar means; every other style is a string. */
enum scalar_type { SCALAR_NULL, SCALAR_BOOL, SCALAR_INTEGER, SCALAR_FLOAT, SCALAR_STRING };

struct node;
struct node_entry {
	const struct node *key; /* NULL in a list; of any kind in a map */
	const struct node *value;
};

struct node {
	enum node_kind kind;
	enum scalar_style style;
	bool tagged_string; /* !!str */
	int line, column;
	size_t start;      /* the byte of the text where the node begins, its anchor and tag left out */
	size_t weight;     /* nodes under it and itself, aliases written out; stops at DOCUMENT_WEIGHT_MAX + 1 */
	struct slice text; /* of a scalar; NUL-terminated */
	struct node_entry *entries;
	size_t count;
};

struct documents {
	const struct node **roots; /* NULL for an empty document */
	size_t count;
};

struct syntax_problem {
	int line, column;          /* 0: none */
	const char *wrong, *right; /* `right` may be NULL */
};

/* All documents; after -1 those before the problem. The strings of the problem live in the arena. */
int documents_parse(struct slice text, size_t documents_max, struct arena *arena, struct documents *ret_documents,
                    struct syntax_problem *ret_problem);

enum scalar_type node_scalar_type(const struct node *node);
/* Of the text of a SCALAR_BOOL. */
bool node_truth(struct slice text);
/* As JSON; a merge key or anything else that JSON has not becomes a string. */
void node_json(const struct node *node, struct buffer *out);
/* The value of that key, or NULL; NULL too where node is NULL or no map. */
const struct node *node_get(const struct node *node, const char *key);
/*
 * The node at "spec.sinks[0].file.path"; keys that are no plain words are ["…"]. Where the path ends early, the deepest
 * node that is there; *ret_whole says which.
 */
const struct node *node_find(const struct node *root, const char *path, bool *ret_whole);

/*
 * The entries of a map with its merge keys replaced by what they bring: own keys win, then the earlier map. In the
 * arena.
 */
struct node_entry *node_merge(const struct node_entry *entries, size_t count, struct arena *arena, size_t *ret_count);

/* Line and column of byte `offset` of a scalar's value. */
void node_place(const struct node *node, struct slice text, size_t offset, int *ret_line, int *ret_column);

#endif
