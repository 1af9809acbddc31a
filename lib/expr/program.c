/* Programs: made from text, prepared once, run a batch at a time. */
#include <jansson.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/expr/coerce.h"
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

struct program *program_from_json(struct checker *checker, const struct json_t *json, enum type wanted,
                                  const char *what)
{
	struct program *program = program_new();
	struct checker inner = *checker;
	struct node *root;

	inner.program = program;
	program->functions = checker->functions;
	root = check_node(&inner, json);
	if (root && (wanted != TYPE_NULL || root->untyped))
		root = coerce(&inner, root, wanted == TYPE_NULL ? TYPE_STRING : wanted, what);
	if (!root) {
		program_free(program);
		return NULL;
	}
	program_finish(program, root);
	return program;
}

struct program *program_compile(struct slice text, const struct schema *schema, const struct expr_problems *problems)
{
	return program_compile_calling(text, schema, NULL, problems);
}

struct program *program_compile_calling(struct slice text, const struct schema *schema,
                                        const struct user_functions *functions, const struct expr_problems *problems)
{
	struct arena arena;
	struct checker checker = {.schema = schema, .functions = functions, .problems = problems};
	struct program *program = NULL;
	json_t *root, *expression;

	arena_init(&arena);
	checker.text = arena_string(&arena, text);
	expression = expr_parse(&checker, text, &root);
	if (expression)
		program = program_from_json(&checker, expression, TYPE_NULL, "the expression");
	json_decref(root);
	arena_release(&arena);
	return program;
}

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

void row_failures_add(struct row_failures *failures, uint32_t row, const char *reason, uint32_t function)
{
	for (size_t i = 0; i < failures->count; i++)
		if (failures->rows[i] == row)
			return;
	failures->rows[failures->count] = row;
	failures->functions[failures->count] = function;
	failures->reasons[failures->count++] = reason;
}

void row_fail(struct run *run, struct column *result, uint32_t row, const char *reason)
{
	result->valid[row] = 0;
	row_failures_add(run->failures, row, reason, ROW_FAILURE_OF_EXPRESSION);
}
