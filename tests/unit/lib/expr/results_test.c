/*
 * What expressions yield, over one row of small values. tests/integration/postgres_parity has many more, compared with
 * PostgreSQL; these need no server.
 */
#include <math.h>

#include "tests/unit/lib/expr/expr_case.h"

struct result_case {
	const char *text, *expected; /* "TYPE value", or the reason of the failure */
};

/* b TRUE, i 7, l 10^10, d 2.5, s 'héllo', t 1000, "Upper" NULL. */
static void fill(struct batch *batch)
{
	static const struct value values[COLUMNS] = {
	        {TYPE_BOOLEAN, false, {.boolean = true}},
	        {TYPE_INT, false, {.bigint = 7}},
	        {TYPE_BIGINT, false, {.bigint = 10000000000}},
	        {TYPE_DOUBLE, false, {.real = 2.5}},
	        {TYPE_STRING, false, {.string = SLICE_LITERAL("h\xc3\xa9llo")}},
	        {TYPE_TIMESTAMP, false, {.bigint = 1000}},
	        {TYPE_STRING, true, {0}},
	};

	batch_init(batch, &case_schema, NULL, 1);
	batch->rows = 1;
	for (size_t i = 0; i < COLUMNS; i++)
		column_set(&batch->columns[i], 0, values[i]);
}

static void run(const struct result_case *cases, size_t count)
{
	struct row_failures *failures = malloc(sizeof(*failures));
	struct batch batch;
	uint32_t row = 0;

	fill(&batch);
	for (size_t c = 0; c < count; c++) {
		struct program *program = case_compile("results", cases[c].text);
		struct buffer out;
		struct value value;

		failures->count = 0;
		value = column_value(program_run(program, &batch, &row, 1, failures), 0);
		buffer_init(&out);
		if (failures->count) {
			buffer_append_text(&out, failures->reasons[0]);
			assert_true(value.null);
		} else {
			buffer_printf(&out, "%s ", type_name(program_type(program)));
			case_render(&out, value);
		}
		if (strcmp(out.data, cases[c].expected) != 0)
			fail_msg("%s: found %s, expected %s", cases[c].text, out.data, cases[c].expected);
		buffer_release(&out);
		program_free(program);
	}
	batch_release(&batch);
	free(failures);
}

#define TRUE    "BOOLEAN true"
#define FALSE   "BOOLEAN false"
#define UNKNOWN "BOOLEAN NULL"
#define N       "\"Upper\" = 'x'" /* NULL */

static void logic_test(void **state)
{
	static const struct result_case cases[] = {
	        {"b AND b", TRUE},
	        {"b AND NOT b", FALSE},
	        {"b AND " N, UNKNOWN},
	        {N " AND b", UNKNOWN},
	        {"NOT b AND " N, FALSE},
	        {N " AND NOT b", FALSE},
	        {N " AND " N, UNKNOWN},
	        {"NOT b OR NOT b", FALSE},
	        {"b OR " N, TRUE},
	        {N " OR b", TRUE},
	        {"NOT b OR " N, UNKNOWN},
	        {N " OR NOT b", UNKNOWN},
	        {N " OR " N, UNKNOWN},
	        {"NOT (" N ")", UNKNOWN},
	        {"NOT b", FALSE},
	        {"NULL AND FALSE", FALSE},
	        {"NULL OR TRUE", TRUE},
	        {"NULL = NULL", UNKNOWN},
	        {"b IS TRUE", TRUE},
	        {"(" N ") IS TRUE", FALSE},
	        {"(" N ") IS NOT TRUE", TRUE},
	        {"(" N ") IS UNKNOWN", TRUE},
	        {"b IS NOT UNKNOWN", TRUE},
	        {"b IS FALSE", FALSE},
	        {"b IS NOT FALSE", TRUE},
	        {"\"Upper\" IS NULL", TRUE},
	        {"i IS NOT NULL", TRUE},
	};

	(void)state;
	run(cases, COUNT(cases));
}

static void comparison_test(void **state)
{
	static const struct result_case cases[] = {
	        {"i = 7", TRUE},
	        {"i <> 7", FALSE},
	        {"i != 8", TRUE},
	        {"i < 8", TRUE},
	        {"i <= 7", TRUE},
	        {"i > 7", FALSE},
	        {"i >= 7", TRUE},
	        {"i = 7.0", TRUE},
	        {"l > i", TRUE},
	        {"d < i", TRUE},
	        {"i = '7'", TRUE},
	        {"s < 'i'", TRUE},
	        {"s = 'héllo'", TRUE},
	        {"'a' < 'ab'", TRUE},
	        {"b > FALSE", TRUE},
	        {"t = '1970-01-01T00:00:01Z'", TRUE},
	        {"'NaN'::double precision = 'NaN'", TRUE},
	        {"'NaN' > 'Infinity'::double precision", TRUE},
	        {"-0.0 = 0.0", TRUE},
	        {"i = NULL", UNKNOWN},
	        {"i IS DISTINCT FROM 7", FALSE},
	        {"i IS DISTINCT FROM NULL", TRUE},
	        {"\"Upper\" IS NOT DISTINCT FROM NULL", TRUE},
	        {"\"Upper\" IS DISTINCT FROM s", TRUE},
	        {"i IN (1, 7)", TRUE},
	        {"i IN (1, 2)", FALSE},
	        {"i IN (1, NULL)", UNKNOWN},
	        {"i IN (7, NULL)", TRUE},
	        {"i NOT IN (1, NULL)", UNKNOWN},
	        {"i NOT IN (1, 2)", TRUE},
	        {"i IN (l, i)", TRUE},
	        {"s IN ('a', 'héllo')", TRUE},
	        {"d IN (2, 2.5)", TRUE},
	        {"b IN (FALSE)", FALSE},
	        {"\"Upper\" IN ('a')", UNKNOWN},
	        {"i BETWEEN 7 AND 8", TRUE},
	        {"i BETWEEN 8 AND 7", FALSE},
	        {"i BETWEEN SYMMETRIC 8 AND 7", TRUE},
	        {"i NOT BETWEEN 1 AND 6", TRUE},
	        {"i BETWEEN NULL AND 6", FALSE},
	        {"i BETWEEN NULL AND 8", UNKNOWN},
	        {"s LIKE 'h%'", TRUE},
	        {"s LIKE 'h_llo'", TRUE},
	        {"s LIKE 'h__llo'", FALSE},
	        {"s NOT LIKE 'x%'", TRUE},
	        {"s ILIKE 'H%O'", TRUE},
	        {"'50%' LIKE '50\\%'", TRUE},
	        {"'50x' LIKE '50\\%'", FALSE},
	        {"'50%' LIKE '50!%' ESCAPE '!'", TRUE},
	        {"'a' LIKE 'a\\'", FALSE},
	        {"s LIKE '%\\'", "LIKE pattern must not end with escape character"},
	        {"s LIKE NULL", UNKNOWN},
	};

	(void)state;
	run(cases, COUNT(cases));
}

static void arithmetic_test(void **state)
{
	static const struct result_case cases[] = {
	        {"i + 1", "INT 8"},
	        {"i - 8", "INT -1"},
	        {"i * 3", "INT 21"},
	        {"i / 2", "INT 3"},
	        {"-i / 2", "INT -3"},
	        {"-i % 4", "INT -3"},
	        {"i % -4", "INT 3"},
	        {"-(7)", "INT -7"},
	        {"-(-(7))", "INT 7"},
	        {"- - -7", "INT -7"},
	        {"-/* 1 /* 2 */ 3 */ 7", "INT -7"},
	        {"0", "INT 0"},
	        {"i + l", "BIGINT 10000000007"},
	        {"i + d", "DOUBLE 9.5"},
	        {"l / d", "DOUBLE 4000000000"},
	        {"i / 2.0", "DOUBLE 3.5"},
	        {"1 + 2 * 3", "INT 7"},
	        {"2147483647 + i", "integer out of range"},
	        {"-2147483648 - i", "integer out of range"},
	        {"i * 2147483647", "integer out of range"},
	        {"-2147483648 / (i - 8)", "integer out of range"},
	        {"-2147483648 % (i - 8)", "INT 0"},
	        {"-(i - 7 - 2147483648)", "BIGINT 2147483648"},
	        {"-(i - 2147483647 - 8)", "integer out of range"},
	        {"ABS(i - 2147483647 - 8)", "integer out of range"},
	        {"2147483648", "BIGINT 2147483648"},
	        {"9223372036854775807 + i", "bigint out of range"},
	        {"-9223372036854775808 - i", "bigint out of range"},
	        {"l * l", "bigint out of range"},
	        {"-9223372036854775808 / (i - 8)", "bigint out of range"},
	        {"-9223372036854775808 % (i - 8)", "BIGINT 0"},
	        {"i / (i - 7)", "division by zero"},
	        {"i % (i - 7)", "division by zero"},
	        {"l / (i - 7)", "division by zero"},
	        {"d / (i - 7)", "division by zero"},
	        {"1 / 0", "division by zero"},
	        {"NULL / (i - 7)", "INT NULL"},
	        {"1e308 * i * i", "value out of range: overflow"},
	        {"1e308 + d * 6e307", "value out of range: overflow"},
	        {"1e-320 * (d / 1e300)", "value out of range: underflow"},
	        {"'NaN' + d", "DOUBLE NaN"},
	        {"'Infinity' - d", "DOUBLE +Inf"},
	        {"'5' + i", "INT 12"},
	        {"ABS(-i)", "INT 7"},
	        {"ABS(-d)", "DOUBLE 2.5"},
	        {"FLOOR(-d)", "DOUBLE -3"},
	        {"CEIL(d)", "DOUBLE 3"},
	        {"CEILING(-d)", "DOUBLE -2"},
	        {"ROUND(d)", "DOUBLE 2"},
	        {"ROUND(3.5)", "DOUBLE 4"},
	        {"ROUND(-0.5)", "DOUBLE -0"},
	        {"ROUND(i)", "DOUBLE 7"},
	};

	(void)state;
	run(cases, COUNT(cases));
}

static void text_test(void **state)
{
	static const struct result_case cases[] = {
	        {"s || '!'", "STRING 'héllo!'"},
	        {"s || i", "STRING 'héllo7'"},
	        {"i || s", "STRING '7héllo'"},
	        {"s || \"Upper\"", "STRING NULL"},
	        {"'' || ''", "STRING ''"},
	        {"UPPER(s)", "STRING 'HéLLO'"},
	        {"LOWER('ABC É')", "STRING 'abc É'"},
	        {"LENGTH(s)", "INT 5"},
	        {"CHAR_LENGTH('🎉')", "INT 1"},
	        {"LENGTH('')", "INT 0"},
	        {"SUBSTRING(s, 2, 2)", "STRING 'él'"},
	        {"SUBSTRING(s FROM 3)", "STRING 'llo'"},
	        {"SUBSTRING(s FOR 2)", "STRING 'hé'"},
	        {"SUBSTRING(s, -1, 3)", "STRING 'h'"},
	        {"SUBSTRING(s, 2147483647, 2147483647)", "STRING ''"},
	        {"SUBSTRING(s, 1, i - 8)", "negative substring length not allowed"},
	        {"SUBSTR(s, 5)", "STRING 'o'"},
	        {"COALESCE(\"Upper\", s)", "STRING 'héllo'"},
	};

	(void)state;
	run(cases, COUNT(cases));
}

static void cast_test(void **state)
{
	static const struct result_case cases[] = {
	        {"CAST(d AS INT)", "INT 2"},
	        {"3.5::int", "INT 4"},
	        {"(-2.5)::bigint", "BIGINT -2"},
	        {"l::int", "integer out of range"},
	        {"(d * 1e300)::bigint", "bigint out of range"},
	        {"'NaN'::double precision::int", "integer out of range"},
	        {"i::double precision", "DOUBLE 7"},
	        {"i::boolean", TRUE},
	        {"b::int", "INT 1"},
	        {"b::text", "STRING 'true'"},
	        {"d::text", "STRING '2.5'"},
	        {"1e15::text", "STRING '1e+15'"},
	        {"0.0001::text", "STRING '0.0001'"},
	        {"5e-324::text", "STRING '5e-324'"},
	        {"5.9604644775390625e-8::text", "STRING '5.960464477539063e-08'"},
	        {"1e23::text", "STRING '9.999999999999999e+22'"},
	        {"611139.6172563::text", "STRING '611139.6172563'"},
	        {"(-0.0)::text", "STRING '-0'"},
	        {"t::text", "STRING '1970-01-01 00:00:01+00'"},
	        {"' 42 '::int", "INT 42"},
	        {"(s || '')::int", "invalid input syntax for type integer"},
	        {"('99999999999' || '')::int", "value out of range for type integer"},
	        {"('1e400' || '')::double precision", "value out of range for type double precision"},
	        {"('' || 'yes')::boolean", TRUE},
	        {"(s || '')::boolean", "invalid input syntax for type boolean"},
	        {"('' || '2025-02-30')::timestamptz", "invalid input syntax for type timestamp with time zone"},
	        {"'1970-01-01 00:00:01.5+00:00'::timestamptz", "TIMESTAMP 1500"},
	};

	(void)state;
	run(cases, COUNT(cases));
}

/* What is not taken does not fail. */
static void branch_test(void **state)
{
	static const struct result_case cases[] = {
	        {"CASE WHEN b THEN 1 ELSE 1 / 0 END", "INT 1"},
	        {"CASE WHEN NOT b THEN i / (i - 7) ELSE 2 END", "INT 2"},
	        {"CASE WHEN " N " THEN i / (i - 7) END", "INT NULL"},
	        {"CASE i WHEN 7 THEN 'a' WHEN 1 / (i - 7) THEN 'b' END", "STRING 'a'"},
	        {"CASE i WHEN 1 / (i - 7) THEN 'b' WHEN 7 THEN 'a' END", "division by zero"},
	        {"CASE 'a' WHEN s THEN 1 ELSE 2 END", "INT 2"},
	        {"COALESCE(i, i / (i - 7))", "INT 7"},
	        {"COALESCE(NULL, i, 1 / 0)", "INT 7"},
	        {"COALESCE(i / (i - 7), 1)", "division by zero"},
	        {"b OR i / (i - 7) = 1", TRUE},
	        {"NOT b AND i / (i - 7) = 1", FALSE},
	        {"b AND i / (i - 7) = 1", "division by zero"},
	        {"FALSE AND 1 / 0 = 1", FALSE},
	        {"NULLIF(i, 7)", "INT NULL"},
	        {"NULLIF(i, 8)", "INT 7"},
	        {"NULLIF(i, 8.5)", "DOUBLE 7"},
	        {"NULLIF(i, l)", "INT 7"},
	        {"NULLIF('8', i)", "INT 8"},
	        {"NULLIF(\"Upper\", 'x')", "STRING NULL"},
	        {"i / NULLIF(i - 7, 0)", "INT NULL"},
	        {"COALESCE(i, d)", "DOUBLE 7"},
	        {"CASE WHEN b THEN i ELSE 0.5 END", "DOUBLE 7"},
	};

	(void)state;
	run(cases, COUNT(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(logic_test), cmocka_unit_test(comparison_test), cmocka_unit_test(arithmetic_test),
	        cmocka_unit_test(text_test),  cmocka_unit_test(cast_test),       cmocka_unit_test(branch_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
