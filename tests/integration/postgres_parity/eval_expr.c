/*
 * Evaluates expressions over one row for comparison with PostgreSQL. Standard input: lines of "EXPRESSION"; standard
 * output: for each a line "TYPE|value" in PostgreSQL's text form, "error|reason" or "problem|text". The row is that of
 * columns.h's table.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/expr/expr.h"

static char problem_text[4096];

static void add_problem(void *context, size_t offset, const char *wrong, const char *right)
{
	(void)context;
	(void)offset;
	snprintf(problem_text, sizeof(problem_text), "%s (%s)", wrong, right ? right : "");
}

/* One row of every type, NULLs and extremes; run.py gives PostgreSQL the same. */
static const struct schema_column columns[] = {
        {"b_true", TYPE_BOOLEAN}, {"b_false", TYPE_BOOLEAN}, {"b_null", TYPE_BOOLEAN},  {"i", TYPE_INT},
        {"i_zero", TYPE_INT},     {"i_neg", TYPE_INT},       {"i_max", TYPE_INT},       {"i_min", TYPE_INT},
        {"i_null", TYPE_INT},     {"l", TYPE_BIGINT},        {"l_max", TYPE_BIGINT},    {"l_min", TYPE_BIGINT},
        {"l_null", TYPE_BIGINT},  {"d", TYPE_DOUBLE},        {"d_neg", TYPE_DOUBLE},    {"d_nan", TYPE_DOUBLE},
        {"d_inf", TYPE_DOUBLE},   {"d_half", TYPE_DOUBLE},   {"d_big", TYPE_DOUBLE},    {"d_null", TYPE_DOUBLE},
        {"s", TYPE_STRING},       {"s_empty", TYPE_STRING},  {"s_utf8", TYPE_STRING},   {"s_num", TYPE_STRING},
        {"s_null", TYPE_STRING},  {"t", TYPE_TIMESTAMP},     {"t_neg", TYPE_TIMESTAMP}, {"t_null", TYPE_TIMESTAMP},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void fill(struct batch *batch)
{
	static const struct value values[COLUMNS] = {
	        {TYPE_BOOLEAN, false, {.boolean = true}},
	        {TYPE_BOOLEAN, false, {.boolean = false}},
	        {TYPE_BOOLEAN, true, {0}},
	        {TYPE_INT, false, {.bigint = 7}},
	        {TYPE_INT, false, {.bigint = 0}},
	        {TYPE_INT, false, {.bigint = -3}},
	        {TYPE_INT, false, {.bigint = INT32_MAX}},
	        {TYPE_INT, false, {.bigint = INT32_MIN}},
	        {TYPE_INT, true, {0}},
	        {TYPE_BIGINT, false, {.bigint = 10000000000}},
	        {TYPE_BIGINT, false, {.bigint = INT64_MAX}},
	        {TYPE_BIGINT, false, {.bigint = INT64_MIN}},
	        {TYPE_BIGINT, true, {0}},
	        {TYPE_DOUBLE, false, {.real = 2.5}},
	        {TYPE_DOUBLE, false, {.real = -0.125}},
	        {TYPE_DOUBLE, false, {.real = __builtin_nan("")}},
	        {TYPE_DOUBLE, false, {.real = __builtin_inf()}},
	        {TYPE_DOUBLE, false, {.real = 0.5}},
	        {TYPE_DOUBLE, false, {.real = 1e300}},
	        {TYPE_DOUBLE, true, {0}},
	        {TYPE_STRING, false, {.string = SLICE_LITERAL("Hello, World_100%")}},
	        {TYPE_STRING, false, {.string = SLICE_LITERAL("")}},
	        {TYPE_STRING,
	         false,
	         {.string = SLICE_LITERAL("gr\xc3\xbc\xc3\x9f \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x8e\x89")}},
	        {TYPE_STRING, false, {.string = SLICE_LITERAL(" 42 ")}},
	        {TYPE_STRING, true, {0}},
	        {TYPE_TIMESTAMP, false, {.bigint = 1763971200123}},
	        {TYPE_TIMESTAMP, false, {.bigint = -1}},
	        {TYPE_TIMESTAMP, true, {0}},
	};

	batch->rows = 1;
	for (size_t i = 0; i < COLUMNS; i++)
		column_set(&batch->columns[i], 0, values[i]);
}

/* The result as text, by our own CAST to TEXT. */
static void print_value(struct value value)
{
	static const struct expr_problems problems = {add_problem, NULL};
	struct schema_column column = {"v", value.type};
	struct schema schema = {&column, 1};
	struct program *cast = program_compile(SLICE_LITERAL("v::text"), &schema, &problems);
	struct row_failures *failures = calloc(1, sizeof(*failures));
	struct batch batch;
	uint32_t row = 0;

	batch_init(&batch, &schema, NULL, 1);
	batch.rows = 1;
	column_set(&batch.columns[0], 0, value);
	value = column_value(program_run(cast, &batch, &row, 1, failures), 0);
	for (size_t i = 0; i < value.string.size; i++)
		putchar(value.string.data[i] == '\n' ? ' ' : value.string.data[i]);
	batch_release(&batch);
	program_free(cast);
	free(failures);
}

static void evaluate(const char *text, const struct batch *batch)
{
	static const struct expr_problems problems = {add_problem, NULL};
	struct schema schema = {columns, COLUMNS};
	struct program *program = program_compile(slice_of(text), &schema, &problems);
	struct row_failures *failures = calloc(1, sizeof(*failures));
	struct value value;
	uint32_t row = 0;

	if (!program) {
		printf("problem|%s\n", problem_text);
		free(failures);
		return;
	}
	value = column_value(program_run(program, batch, &row, 1, failures), 0);
	if (failures->count) {
		printf("error|%s\n", failures->reasons[0]);
	} else {
		printf("%s|", type_name(program_type(program)));
		if (value.null)
			printf("NULL");
		else
			print_value(value);
		putchar('\n');
	}
	program_free(program);
	free(failures);
}

int main(void)
{
	static char line[65536];
	struct schema schema = {columns, COLUMNS};
	struct batch batch;

	batch_init(&batch, &schema, NULL, 1);
	fill(&batch);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		evaluate(line, &batch);
		fflush(stdout);
	}
	batch_release(&batch);
	return 0;
}
