/* Nodes of the typed tree: made, folded, given their registers. */
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/expr/kernels.h"
#include "lib/expr/program.h"

struct node *node_new(struct checker *checker, size_t offset, enum type type, kernel *run, struct node **children,
                      size_t count)
{
	struct program *program = checker->program;
	struct node *node = arena_zalloc(&program->arena, sizeof(*node));

	node->type = type;
	node->offset = offset;
	node->column = -1;
	node->run = run;
	node->count = count;
	if (count) {
		node->children = arena_alloc(&program->arena, count * sizeof(*children));
		memcpy(node->children, children, count * sizeof(*children));
	}
	node->next = program->nodes;
	program->nodes = node;
	return node;
}

struct node *node_constant(struct checker *checker, size_t offset, struct value value)
{
	struct node *node = node_new(checker, offset, value.type, run_constant, NULL, 0);

	node->constant = true;
	node->value = value;
	return node;
}

struct node *node_column(struct checker *checker, size_t offset, int column, enum type type)
{
	struct node *node = node_new(checker, offset, type, run_column, NULL, 0);

	node->column = column;
	return node;
}

/*
 * Registers and scratch of a node and those below it. A node may have several parents. The constants of an IN list have
 * one row each: there may be thousands of them.
 */
static void prepare(struct program *program, struct node *node, size_t rows)
{
	if (node->result.values || node->run == run_column)
		return;
	for (size_t i = 0; i < node->count; i++)
		prepare(program, node->children[i], node->run == run_in_list && i > 0 ? 1 : BATCH_ROWS_MAX);
	column_init(&node->result, node->type, rows);
	for (size_t i = 0; i < 2 && node->count; i++)
		node->scratch[i] = arena_alloc(&program->arena, BATCH_ROWS_MAX * sizeof(uint32_t));
	for (size_t row = 0; node->constant && row < rows; row++)
		column_set(&node->result, row, node->value);
}

struct node *node_fold(struct checker *checker, struct node *node)
{
	struct row_failures *failures;
	struct batch batch = {.rows = 1};
	struct run run = {.batch = &batch, .arena = &checker->program->arena};
	uint32_t row = 0;
	struct value value;
	bool failed;

	for (size_t i = 0; i < node->count; i++)
		if (!node->children[i]->constant)
			return node;
	failures = xcalloc(1, sizeof(*failures));
	run.failures = failures;
	prepare(checker->program, node, BATCH_ROWS_MAX);
	value = column_value(node->run(node, &run, &row, 1), 0);
	failed = failures->count > 0;
	free(failures);
	return failed ? node : node_constant(checker, node->offset, value);
}

struct program *program_new(void)
{
	struct program *program = xcalloc(1, sizeof(*program));

	arena_init(&program->arena);
	arena_init(&program->strings);
	return program;
}

void program_finish(struct program *program, struct node *root)
{
	program->root = root;
	prepare(program, root, BATCH_ROWS_MAX);
}
