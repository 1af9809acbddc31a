/* Programs: run a batch at a time. */
#include <stdlib.h>

#include "lib/expr/kernels.h"
#include "lib/expr/program.h"

void program_free(struct program *program)
{
	if (!program)
		return;
	for (struct node *node = program->nodes; node; node = node->next)
		column_release(&node->result);
	arena_release(&program->arena);
	arena_release(&program->strings);
	free(program);
}

enum type program_type(const struct program *program)
{
	return program->root->type;
}

static void mark_reads(const struct node *node, bool *read)
{
	if (node->run == run_column)
		read[node->column] = true;
	for (size_t i = 0; i < node->count; i++)
		mark_reads(node->children[i], read);
}

void program_reads(const struct program *program, bool *read)
{
	mark_reads(program->root, read);
}

static void begin(struct program *program, const struct batch *batch, struct row_failures *failures)
{
	arena_reset(&program->strings);
	program->run = (struct run){
	        .batch = batch, .failures = failures, .arena = &program->strings, .functions = program->functions};
}

/* Runs a root. A failed part may have become a value, as in COALESCE(1 / x, 0): the failed rows become NULL again. */
static const struct column *run_root(struct node *root, struct run *run, const uint32_t *rows, size_t n)
{
	size_t before = run->failures->count;
	const struct column *result = root->run(root, run, rows, n);

	for (size_t i = before; i < run->failures->count; i++)
		root->result.valid[run->failures->rows[i]] = 0;
	return result;
}

const struct column *program_run(struct program *program, const struct batch *batch, const uint32_t *rows, size_t n,
                                 struct row_failures *failures)
{
	begin(program, batch, failures);
	return run_root(program->root, &program->run, rows, n);
}

/* A chain of ANDs is filtered link by link: each sees only the rows that the ones before it kept. */
static size_t filter(struct node *node, struct run *run, const uint32_t *rows, size_t n, uint32_t *ret_rows)
{
	const struct column *truth;
	size_t kept = 0;

	if (node->run == run_and) {
		n = filter(node->children[0], run, rows, n, ret_rows);
		return filter(node->children[1], run, ret_rows, n, ret_rows);
	}
	truth = run_root(node, run, rows, n);
	for (size_t i = 0; i < n; i++) {
		uint32_t row = rows[i];

		ret_rows[kept] = row;
		kept += truth->valid[row] & truth->booleans[row];
	}
	return kept;
}

size_t program_filter(struct program *program, const struct batch *batch, const uint32_t *rows, size_t n,
                      uint32_t *ret_rows, struct row_failures *failures)
{
	begin(program, batch, failures);
	return filter(program->root, &program->run, rows, n, ret_rows);
}
