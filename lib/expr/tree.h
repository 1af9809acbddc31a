/*
 * The typed tree that a program is: inside lib/expr only.
 *
 * A node is a kernel, its children and a register for its results. Running a node runs its children for the same rows
 * (or, where a branch is not taken by all, for those that take it) and then its kernel: one loop over the rows.
 * Recursion is once a node and batch, never once a row.
 *
 * Nodes, constants and scratch memory live in the program's arena; registers and scratch are made once, by
 * program_prepare, after folding.
 */
#ifndef STREAMJOB_EXPR_TREE_H
#define STREAMJOB_EXPR_TREE_H

#include "lib/expr/expr.h"

#define EXPR_TEXT_MAX  (16 * 1024)
#define EXPR_DEPTH_MAX 200
struct run {
	const struct batch *batch;
	struct row_failures *failures;
	struct arena *arena; /* strings that this run builds */
	const struct user_functions *functions;
};

struct node;
typedef const struct column *kernel(struct node *node, struct run *run, const uint32_t *rows, size_t n);

struct node {
	enum type type;
	bool constant;
	bool untyped;       /* a literal whose type is still open: '…' or NULL */
	bool negated;       /* NOT IN, NOT LIKE, IS NOT … */
	size_t offset;      /* in the text */
	struct value value; /* of a constant */
	int column;         /* of a column reference, or a user function's number, else -1 */
	kernel *run;
	struct node **children;
	size_t count;
	struct column result;
	uint32_t *scratch[2]; /* BATCH_ROWS_MAX rows each, where the kernel splits its rows */
	struct node *next;    /* of all nodes of the program */
};

struct program {
	struct arena arena;   /* nodes and constants */
	struct arena strings; /* of the last run */
	struct node *nodes;
	struct node *root;
	struct run run;
	const struct user_functions *functions;
};

struct aggregate_expr;
/* Where aggregate calls may stand: what they aggregate, and what stands alone. */
struct aggregate_scope {
	const struct schema *row, *keys;
	struct aggregate_expr *expr;
};

/* Builds the tree; every function adds a problem and returns NULL where something is wrong. */
struct checker {
	struct program *program;
	const struct schema *schema; /* what a column name means */
	const struct expr_problems *problems;
	const char *text; /* the expression, NUL-terminated */
	size_t depth;
	const struct user_functions *functions; /* NULL: none */
	struct aggregate_scope *aggregates;     /* NULL where an aggregate may not stand */
};

struct node *node_new(struct checker *checker, size_t offset, enum type type, kernel *run, struct node **children,
                      size_t count);
struct node *node_constant(struct checker *checker, size_t offset, struct value value);
struct node *node_column(struct checker *checker, size_t offset, int column, enum type type);
/* Problem at a byte of the text, or that it is past EXPR_DEPTH_MAX; NULL. */
struct node *expr_problem(struct checker *checker, size_t offset, const char *right, const char *wrong, ...)
        __attribute__((format(printf, 4, 5)));
struct node *expr_too_deep(struct checker *checker, size_t offset);
/* The node's constant where all its children are constants and nothing fails; else the node. */
struct node *node_fold(struct checker *checker, struct node *node);

struct json_t;
/* Byte of the text where a part of the parse tree begins. */
size_t json_offset(const struct checker *checker, const struct json_t *body);
/* check.c */
struct node *check_node(struct checker *checker, const struct json_t *json);
/* operators.c, functions.c, aggregate_expr.c */
struct node *check_a_expr(struct checker *checker, const struct json_t *body);
struct node *check_function(struct checker *checker, const struct json_t *body);
struct node *check_aggregate(struct checker *checker, const struct json_t *body, const char *name);
struct node *check_user_aggregate(struct checker *checker, size_t number, const struct json_t *body);
/* Whether a column of that name can be aggregated where only group keys stand alone; `scope` may be NULL. */
bool aggregate_row_column(const struct aggregate_scope *scope, const char *name);
/* The columns that can be aggregated. */
const struct schema *aggregate_row(const struct aggregate_scope *scope);

/* Its value is NULL then. */
void row_fail(struct run *run, struct column *result, uint32_t row, const char *reason);

#endif
