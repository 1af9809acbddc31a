/*
 * Evaluates expressions over one row, for comparison with PostgreSQL. Standard input: an expression a line. Standard
 * output, for each, a line of JSON: {"type":"INT","value":"7"} (as its CAST to TEXT, or null), {"error":"reason"} where
 * the row fails, {"problem":"text"} where the expression does not compile. parity.py gives PostgreSQL the same row.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/expr/expr.h"

static char problem_text[4096];

static void add_problem(void *context, size_t offset, const char *wrong, const char *right)
{
	(void)context;
	(void)offset;
	snprintf(problem_text, sizeof(problem_text), "%s; %s", wrong, right ? right : "");
}

static const struct expr_problems problems = {add_problem, NULL};

#define COLUMN(name, type, member, v)                                                                                  \
	{                                                                                                              \
		{name, type},                                                                                          \
		{                                                                                                      \
			type, false,                                                                                   \
			{                                                                                              \
				.member = (v)                                                                          \
			}                                                                                              \
		}                                                                                                      \
	}
#define STRING(name, v)                                                                                                \
	{                                                                                                              \
		{name, TYPE_STRING},                                                                                   \
		{                                                                                                      \
			TYPE_STRING, false,                                                                            \
			{                                                                                              \
				.string = SLICE_LITERAL(v)                                                             \
			}                                                                                              \
		}                                                                                                      \
	}
#define NULL_OF(name, type)                                                                                            \
	{                                                                                                              \
		{name, type},                                                                                          \
		{                                                                                                      \
			type, true,                                                                                    \
			{                                                                                              \
				0                                                                                      \
			}                                                                                              \
		}                                                                                                      \
	}

/* One row of every type, NULLs and extremes. */
static const struct {
	struct schema_column column;
	struct value value;
} row_of[] = {
        COLUMN("b_true", TYPE_BOOLEAN, boolean, true),
        COLUMN("b_false", TYPE_BOOLEAN, boolean, false),
        NULL_OF("b_null", TYPE_BOOLEAN),
        COLUMN("i", TYPE_INT, bigint, 7),
        COLUMN("i_zero", TYPE_INT, bigint, 0),
        COLUMN("i_neg", TYPE_INT, bigint, -3),
        COLUMN("i_max", TYPE_INT, bigint, INT32_MAX),
        COLUMN("i_min", TYPE_INT, bigint, INT32_MIN),
        NULL_OF("i_null", TYPE_INT),
        COLUMN("l", TYPE_BIGINT, bigint, 10000000000),
        COLUMN("l_neg", TYPE_BIGINT, bigint, -1),
        COLUMN("l_max", TYPE_BIGINT, bigint, INT64_MAX),
        COLUMN("l_min", TYPE_BIGINT, bigint, INT64_MIN),
        NULL_OF("l_null", TYPE_BIGINT),
        COLUMN("d", TYPE_DOUBLE, real, 2.5),
        COLUMN("d_neg", TYPE_DOUBLE, real, -0.125),
        COLUMN("d_nan", TYPE_DOUBLE, real, __builtin_nan("")),
        COLUMN("d_inf", TYPE_DOUBLE, real, __builtin_inf()),
        COLUMN("d_minus_zero", TYPE_DOUBLE, real, -0.0),
        COLUMN("d_big", TYPE_DOUBLE, real, 1e300),
        COLUMN("d_tiny", TYPE_DOUBLE, real, -1e-300),
        NULL_OF("d_null", TYPE_DOUBLE),
        STRING("s", "Hello, World_100%"),
        STRING("s_empty", ""),
        STRING("s_utf8", "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x8e\x89"),
        STRING("s_number", " 42 "),
        STRING("s_escape", "50%_\\\n"),
        NULL_OF("s_null", TYPE_STRING),
        COLUMN("t", TYPE_TIMESTAMP, bigint, 1763971200123),
        COLUMN("t_old", TYPE_TIMESTAMP, bigint, -1),
        COLUMN("t_bc", TYPE_TIMESTAMP, bigint, -63517780799500),
        COLUMN("t_far", TYPE_TIMESTAMP, bigint, 7827075795723040),
        NULL_OF("t_null", TYPE_TIMESTAMP),
};
#define COLUMNS (sizeof(row_of) / sizeof(row_of[0]))

/* The value as text, by our own CAST to TEXT. */
static void print_value(struct value value)
{
	struct schema_column column = {"v", value.type};
	struct schema schema = {&column, 1};
	struct program *cast = program_compile(SLICE_LITERAL("v::text"), &schema, NULL, &problems);
	struct row_failures *failures = calloc(1, sizeof(*failures));
	struct batch batch;
	struct buffer out;
	uint32_t row = 0;

	batch_init(&batch, &schema, NULL, 1);
	batch.rows = 1;
	column_set(&batch.columns[0], 0, value);
	buffer_init(&out);
	text_json_string(&out, column_value(program_run(cast, &batch, &row, 1, failures), 0).string);
	printf("%s", out.data);
	buffer_release(&out);
	batch_release(&batch);
	program_free(cast);
	free(failures);
}

static void print_text(const char *key, const char *text)
{
	struct buffer out;

	buffer_init(&out);
	text_json_string(&out, slice_of(text));
	printf("{\"%s\":%s}\n", key, out.data);
	buffer_release(&out);
}

static void evaluate(const char *text, const struct schema *schema, const struct batch *batch)
{
	struct program *program = program_compile(slice_of(text), schema, NULL, &problems);
	struct row_failures *failures;
	struct value value;
	uint32_t row = 0;

	if (!program) {
		print_text("problem", problem_text);
		return;
	}
	failures = calloc(1, sizeof(*failures));
	value = column_value(program_run(program, batch, &row, 1, failures), 0);
	if (failures->count) {
		print_text("error", failures->reasons[0]);
	} else {
		printf("{\"type\":\"%s\",\"value\":", type_name(program_type(program)));
		if (value.null)
			printf("null");
		else
			print_value(value);
		printf("}\n");
	}
	program_free(program);
	free(failures);
}

int main(void)
{
	static char line[65536];
	struct schema_column columns[COLUMNS];
	struct schema schema = {columns, COLUMNS};
	struct batch batch;

	for (size_t i = 0; i < COLUMNS; i++)
		columns[i] = row_of[i].column;
	batch_init(&batch, &schema, NULL, 1);
	batch.rows = 1;
	for (size_t i = 0; i < COLUMNS; i++)
		column_set(&batch.columns[i], 0, row_of[i].value);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		evaluate(line, &schema, &batch);
	}
	batch_release(&batch);
	return 0;
}
