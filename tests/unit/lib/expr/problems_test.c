/* What is wrong with an expression, where, and what would be right. */
#include "tests/unit/lib/expr/expr_case.h"

#define ALL_COLUMNS "; columns are b, i, l, d, s, t, Upper\n"
#define ONE         "; write one SQL expression\n"
#define ALONE       "0: this is not one SQL expression alone; write an expression such as: event = 'click'\n"
#define CAST_ONE    "; CAST one of them\n"
#define CAST_IT     "; use a value of that type, or CAST\n"
#define LITERAL     "; write a literal of that type\n"
#define OPERATORS   "; use + - * / % || = <> < <= > >=\n"
#define FUNCTIONS                                                                                                      \
	"; functions are LOWER, UPPER, LENGTH, SUBSTRING, ABS, FLOOR, CEIL, ROUND, COALESCE, NULLIF and those of "     \
	"spec.functions\n"
#define PARTS                                                                                                          \
	"this part of SQL is not supported here; use columns, constants, operators, CASE, COALESCE, CAST and the "     \
	"functions of the reference\n"
#define SUBQUERY                                                                                                       \
	"a subquery is not supported here; use columns, constants, operators, CASE, COALESCE, CAST and the functions " \
	"of the reference\n"
#define NO_AGGREGATE " may not stand here; aggregates stand in spec.aggregates, and not inside one another\n"
#define TYPES        "; use BOOLEAN, INT, BIGINT, DOUBLE PRECISION, TEXT or TIMESTAMPTZ\n"
#define TOO_DEEP     "the expression is nested more than 200 deep; split it over several columns of `select`\n"

struct problem_case {
	const char *name, *text, *problems;
};

static void run(const struct problem_case *cases, size_t count)
{
	for (size_t c = 0; c < count; c++) {
		struct buffer out;
		struct program *program;

		buffer_init(&out);
		program = program_compile(slice_of(cases[c].text), &case_schema, NULL,
		                          &(struct expr_problems){case_add_problem, &out});
		if (program)
			fail_msg("%s: \"%s\" compiles", cases[c].name, cases[c].text);
		if (strcmp(out.data ? out.data : "", cases[c].problems) != 0)
			fail_msg("%s: \"%s\"\nfound    %sexpected %s", cases[c].name, cases[c].text, out.data,
			         cases[c].problems);
		buffer_release(&out);
	}
}

static void syntax_test(void **state)
{
	static const struct problem_case cases[] = {
	        {"nothing", "", ALONE},
	        {"spaces alone", " \n", ALONE},
	        {"an end too early", "i +", "3: syntax error at end of input" ONE},
	        {"a word too many", "i = 7 7", "6: syntax error at or near \"7\"" ONE},
	        {"the offset counts bytes", "s = 'ä' AND s = ", "17: syntax error at end of input" ONE},
	        {"behind four bytes a character", "s = '🎉' )", "11: syntax error at or near \")\"" ONE},
	        {"an open string", "'abc", "0: unterminated quoted string at or near \"'abc\"" ONE},
	        {"an open name", "\"i", "0: unterminated quoted identifier at or near \"\"i\"" ONE},
	        {"an open comment", "i = /* x", "4: unterminated /* comment at or near \"/* x\"" ONE},
	        {"no UTF-8", "E'\\xff'", "0: invalid byte sequence for encoding \"UTF8\": 0xff" ONE},
	        {"two statements", "i = 7; SELECT 1", ALONE},
	        {"two expressions", "i, l", ALONE},
	        {"an alias", "i AS x",
	         "0: the expression ends in \"x\", which is read as a name for it; complete it, or take that word "
	         "out\n"},
	        {"an operator at the end", "s = 'a' AND",
	         "0: the expression ends in \"and\", which is read as a name for it; complete it, or take that word "
	         "out\n"},
	        {"a table", "i FROM t", ALONE},
	        {"a condition", "i WHERE b", ALONE},
	        {"a limit", "i LIMIT 1", ALONE},
	        {"a union", "i UNION SELECT 1", ALONE},
	        {"DISTINCT", "DISTINCT i", ALONE},
	        {"INTO", "i INTO x", ALONE},
	};

	(void)state;
	run(cases, COUNT(cases));
}

static void column_test(void **state)
{
	static const struct problem_case cases[] = {
	        {"unknown", "nothing_like_it", "0: there is no column \"nothing_like_it\"" ALL_COLUMNS},
	        {"every unknown one", "x + y + z",
	         "0: there is no column \"x\"" ALL_COLUMNS "4: there is no column \"y\"" ALL_COLUMNS
	         "8: there is no column \"z\"" ALL_COLUMNS},
	        {"behind a character of two bytes", "s = 'ä' AND x = 1", "13: there is no column \"x\"" ALL_COLUMNS},
	        {"in branches", "CASE WHEN x THEN y END",
	         "10: there is no column \"x\"" ALL_COLUMNS "17: there is no column \"y\"" ALL_COLUMNS},
	        {"capitals", "Upper",
	         "0: there is no column \"upper\"; names fold to lower case: write \"Upper\" in double quotes\n"},
	        {"nearly", "uppr", "0: there is no column \"uppr\"; did you mean Upper?\n"},
	        {"of a table", "b.i",
	         "0: this is not the name of a column; write the column's name alone; a nested value needs a column "
	         "with a path\n"},
	        {"all", "*",
	         "0: this is not the name of a column; write the column's name alone; a nested value needs a column "
	         "with a path\n"},
	};

	(void)state;
	run(cases, COUNT(cases));
}

static void type_test(void **state)
{
	static const struct problem_case cases[] = {
	        {"INT + STRING", "i + s", "4: + cannot bring INT and STRING together" CAST_ONE},
	        {"STRING = INT", "s = 1", "4: a comparison cannot bring STRING and INT together" CAST_ONE},
	        {"BOOLEAN = INT", "b = 1", "4: a comparison cannot bring BOOLEAN and INT together" CAST_ONE},
	        {"TIMESTAMP + INT", "t + 1", "4: + cannot bring TIMESTAMP and INT together" CAST_ONE},
	        {"DOUBLE % INT", "d % 2", "2: there is no operator DOUBLE % INT; use numbers, or CAST\n"},
	        {"TIMESTAMP - TIMESTAMP", "t - t",
	         "2: there is no operator TIMESTAMP - TIMESTAMP; use numbers, or CAST\n"},
	        {"two literals", "'a' + 'b'", "4: + of two literals without a type; cast one side to a number\n"},
	        {"minus a literal", "- 'x'", "0: - of a literal without a type; write a number, or CAST\n"},
	        {"minus a STRING", "- s", "0: there is no operator - for STRING; use a number\n"},
	        {"plus a BOOLEAN", "+ b", "0: there is no operator + for BOOLEAN; use a number\n"},
	        {"an argument of AND", "i AND b",
	         "0: an argument of AND needs type BOOLEAN, this has type INT" CAST_IT},
	        {"an argument of OR", "b OR s",
	         "5: an argument of OR needs type BOOLEAN, this has type STRING" CAST_IT},
	        {"the argument of NOT", "NOT i",
	         "4: the argument of NOT needs type BOOLEAN, this has type INT" CAST_IT},
	        {"both of AND", "i AND l",
	         "0: an argument of AND needs type BOOLEAN, this has type INT" CAST_IT
	         "6: an argument of AND needs type BOOLEAN, this has type BIGINT" CAST_IT},
	        {"IS TRUE", "i IS TRUE",
	         "0: the argument of IS TRUE and IS FALSE needs type BOOLEAN, this has type INT" CAST_IT},
	        {"WHEN", "CASE WHEN i THEN 1 END",
	         "10: the condition of WHEN needs type BOOLEAN, this has type INT" CAST_IT},
	        {"results of CASE", "CASE WHEN b THEN i ELSE s END",
	         "24: CASE cannot bring INT and STRING together" CAST_ONE},
	        {"values of CASE", "CASE i WHEN 'x' THEN 1 END", "12: 'x' is not of type INT" LITERAL},
	        {"COALESCE", "COALESCE(i, s)", "12: COALESCE cannot bring INT and STRING together" CAST_ONE},
	        {"NULLIF", "NULLIF(i, s)", "10: a comparison cannot bring INT and STRING together" CAST_ONE},
	        {"IN", "i IN (1, s)", "9: IN cannot bring INT and STRING together" CAST_ONE},
	        {"a literal in IN", "i IN (1, 'x')", "9: 'x' is not of type INT" LITERAL},
	        {"BETWEEN", "i BETWEEN 1 AND s", "16: a comparison cannot bring INT and STRING together" CAST_ONE},
	        {"LIKE of a number", "i LIKE '7'", "0: LIKE needs type STRING, this has type INT" CAST_IT},
	        {"LIKE a number", "s LIKE 7", "7: LIKE needs type STRING, this has type INT" CAST_IT},
	        {"|| of numbers", "i || l", "2: || joins texts, not INT and BIGINT; cast one side to TEXT\n"},
	        {"a literal that is no INT", "i = 'x'", "4: 'x' is not of type INT" LITERAL},
	        {"a literal that is no BOOLEAN", "b = 'maybe'", "4: 'maybe' is not of type BOOLEAN" LITERAL},
	        {"a literal that is no date", "t > '2025-02-30'", "4: '2025-02-30' is not of type TIMESTAMP" LITERAL},
	        {"a literal past INT", "i = '2147483648'", "4: '2147483648' is not of type INT" LITERAL},
	        {"a number past DOUBLE", "1e999", "0: 1e999 is out of range; write a number that a DOUBLE can hold\n"},
	};

	(void)state;
	run(cases, COUNT(cases));
}

static void cast_test(void **state)
{
	static const struct problem_case cases[] = {
	        {"no such type", "i::nosuch", "3: there is no type \"nosuch\" here" TYPES},
	        {"NUMERIC", "i::numeric", "3: there is no type \"numeric\" here" TYPES},
	        {"a length", "i::varchar(3)",
	         "3: a type with a length, a precision or brackets is not supported; write the type alone, such as "
	         "TEXT\n"},
	        {"an array", "i::int[]",
	         "3: a type with a length, a precision or brackets is not supported; write the type alone, such as "
	         "TEXT\n"},
	        {"TIMESTAMP to INT", "t::int",
	         "3: type TIMESTAMP cannot be cast to INT; cast by way of another type\n"},
	        {"BIGINT to BOOLEAN", "l::boolean",
	         "3: type BIGINT cannot be cast to BOOLEAN; cast by way of another type\n"},
	        {"a literal", "'x'::int", "0: 'x' is not of type INT" LITERAL},
	};

	(void)state;
	run(cases, COUNT(cases));
}

static void function_test(void **state)
{
	static const struct problem_case cases[] = {
	        {"unknown", "frobnicate(s)", "0: there is no function frobnicate" FUNCTIONS},
	        {"nearly", "LENGHT(s)", "0: there is no function lenght; did you mean length?\n"},
	        {"nearly an aggregate", "cont(*)", "0: there is no function cont; did you mean count?\n"},
	        {"too few", "LOWER()", "0: lower does not take 0 arguments; give it one argument\n"},
	        {"too many", "ROUND(d, 2)", "0: round does not take 2 arguments; give it one argument\n"},
	        {"one of two", "SUBSTRING(s)",
	         "0: substring does not take 1 argument; give it two or three arguments\n"},
	        {"a wrong type", "LOWER(i)", "6: lower needs type STRING, this has type INT" CAST_IT},
	        {"not a number", "ABS(s)", "4: abs does not take type STRING; use a number\n"},
	        {"BIGINT for INT", "SUBSTRING(s, l)", "13: substring needs type INT, this has type BIGINT" CAST_IT},
	        {"a pattern", "SUBSTRING(s, 'a')",
	         "13: substring by a pattern is not supported; write the number of the first character, from 1\n"},
	        {"DISTINCT", "LOWER(DISTINCT s)",
	         "0: FILTER, DISTINCT, ORDER BY and * do not go with lower; use them with an aggregate such as "
	         "COUNT\n"},
	        {"FILTER", "LOWER(s) FILTER (WHERE b)",
	         "0: FILTER, DISTINCT, ORDER BY and * do not go with lower; use them with an aggregate such as "
	         "COUNT\n"},
	        {"OVER", "ABS(i) OVER ()", "0: OVER and VARIADIC are not supported; aggregate over the job's window\n"},
	        {"a problem in an argument", "LOWER(x) = UPPER(y)",
	         "6: there is no column \"x\"" ALL_COLUMNS "17: there is no column \"y\"" ALL_COLUMNS},
	};

	(void)state;
	run(cases, COUNT(cases));
}

static void aggregate_test(void **state)
{
	static const struct problem_case cases[] = {
	        {"alone", "COUNT(*)", "0: the aggregate count" NO_AGGREGATE},
	        {"in an operator", "i + SUM(i)", "4: the aggregate sum" NO_AGGREGATE},
	        {"in a condition", "CASE WHEN MAX(i) > 1 THEN 1 END", "10: the aggregate max" NO_AGGREGATE},
	        {"in a function", "ABS(PERCENTILE(d, 0.5))", "4: the aggregate percentile" NO_AGGREGATE},
	};

	(void)state;
	run(cases, COUNT(cases));
}

static void unsupported_test(void **state)
{
	static const struct problem_case cases[] = {
	        {"a power", "i ^ 2", "2: there is no operator ^" OPERATORS},
	        {"a regular expression", "s ~ 'a'", "2: there is no operator ~" OPERATORS},
	        {"SIMILAR TO", "s SIMILAR TO 'a'",
	         "2: this operator is not supported; use = <> < <= > >= IN BETWEEN LIKE\n"},
	        {"ANY", "i = ANY ('{1}')", "2: this operator is not supported; use = <> < <= > >= IN BETWEEN LIKE\n"},
	        {"a long escape", "s LIKE 'a' ESCAPE 'ab'",
	         "18: the escape must be one ASCII character; write ESCAPE '#', or ESCAPE '' for none\n"},
	        {"an escape that varies", "s LIKE 'a' ESCAPE s",
	         "18: the escape must be one ASCII character; write ESCAPE '#', or ESCAPE '' for none\n"},
	        {"a subquery", "(SELECT 1)", "0: " SUBQUERY},
	        {"IN a subquery", "i IN (SELECT 1)", "2: " SUBQUERY},
	        {"an array", "ARRAY[1]", "0: " PARTS},
	        {"a parameter", "$1", "0: " PARTS},
	        {"the time now", "CURRENT_TIMESTAMP", "0: " PARTS},
	        {"a collation", "s COLLATE \"C\"", "2: " PARTS},
	        {"bits", "B'101'",
	         "0: this kind of constant is not known; use a number, a string, TRUE, FALSE or NULL\n"},
	};

	(void)state;
	run(cases, COUNT(cases));
}

/* `part` n times, `middle`, `end` n times. */
static char *repeat(const char *part, const char *middle, const char *end, size_t n)
{
	struct buffer out;

	buffer_init(&out);
	for (size_t i = 0; i < n; i++)
		buffer_append_text(&out, part);
	buffer_append_text(&out, middle);
	for (size_t i = 0; i < n; i++)
		buffer_append_text(&out, end);
	return buffer_take(&out);
}

static void limits_test(void **state)
{
	static const struct {
		const char *name, *part, *middle, *end;
		size_t n;
		const char *problems; /* NULL: compiles */
	} cases[] = {
	        {"200 deep", "NOT ", "b", "", 199, NULL},
	        {"201 deep", "NOT ", "b", "", 200, "800: " TOO_DEEP},
	        {"calls deeper than JSON's reader goes", "ABS(", "i", ")", 1000, "0: " TOO_DEEP},
	        {"as deep as the text allows", "NOT ", "b", "", 4000, "0: " TOO_DEEP},
	        {"parentheses have no depth", "(", "i", ")", 8000, NULL},
	        {"a long chain has none either", "b OR ", "b", "", 3000, NULL},
	        {"the longest text", " ", "i", "", 16383, NULL},
	        {"one byte longer", " ", "i", "", 16384,
	         "0: the expression has 16385 bytes; at most 16384 are allowed; shorten it\n"},
	};

	(void)state;
	for (size_t c = 0; c < COUNT(cases); c++) {
		char *text = repeat(cases[c].part, cases[c].middle, cases[c].end, cases[c].n);

		if (cases[c].problems)
			run(&(struct problem_case){cases[c].name, text, cases[c].problems}, 1);
		else
			program_free(case_compile(cases[c].name, text));
		free(text);
	}
}

static void nul_test(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out);
	assert_null(program_compile(SLICE_LITERAL("i\0 = 7"), &case_schema, NULL,
	                            &(struct expr_problems){case_add_problem, &out}));
	assert_string_equal(out.data, "0: the expression has a NUL byte; take it out\n");
	buffer_release(&out);
}

static void no_columns_test(void **state)
{
	struct schema none = {NULL, 0};
	struct buffer out;

	(void)state;
	buffer_init(&out);
	assert_null(program_compile(SLICE_LITERAL("x"), &none, NULL, &(struct expr_problems){case_add_problem, &out}));
	assert_string_equal(out.data, "0: there is no column \"x\"; no column may stand here\n");
	buffer_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(syntax_test),      cmocka_unit_test(column_test),   cmocka_unit_test(type_test),
	        cmocka_unit_test(cast_test),        cmocka_unit_test(function_test), cmocka_unit_test(aggregate_test),
	        cmocka_unit_test(unsupported_test), cmocka_unit_test(limits_test),   cmocka_unit_test(nul_test),
	        cmocka_unit_test(no_columns_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
