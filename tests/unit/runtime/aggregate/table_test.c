/* What each aggregate makes of a few values. */
#include "tests/unit/runtime/aggregate/aggregates.h"

#define MAX_BIGINT   "9223372036854775807"
#define MIN_BIGINT   "-9223372036854775808"
#define MAX_DOUBLE   "1.7976931348623157e+308"
#define DOUBLE_RANGE "the sum is out of range for DOUBLE: overflow"

static const struct row {
	const char *name;
	enum aggregate_kind kind;
	enum type type;
	double parameter;
	const char *values[10];
	const char *expected; /* a '*' at its end: what comes there is not compared */
} rows[] = {
        {"COUNT(*) of nothing", AGGREGATE_COUNT_ROWS, TYPE_NULL, 0, {END}, "0"},
        {"COUNT(*)", AGGREGATE_COUNT_ROWS, TYPE_NULL, 0, {"", "", ""}, "3"},
        {"COUNT of nothing", AGGREGATE_COUNT, TYPE_STRING, 0, {END}, "0"},
        {"COUNT", AGGREGATE_COUNT, TYPE_STRING, 0, {"a", "a"}, "2"},
        {"COUNT DISTINCT of nothing", AGGREGATE_COUNT_DISTINCT, TYPE_BIGINT, 0, {END}, "0"},
        {"COUNT DISTINCT BOOLEAN", AGGREGATE_COUNT_DISTINCT, TYPE_BOOLEAN, 0, {"f", "t", "f", "t"}, "2"},
        {"COUNT DISTINCT INT", AGGREGATE_COUNT_DISTINCT, TYPE_INT, 0, {"0", "-1", "0", "1", "-1"}, "3"},
        {"COUNT DISTINCT BIGINT", AGGREGATE_COUNT_DISTINCT, TYPE_BIGINT, 0, {"0", MIN_BIGINT, MAX_BIGINT, "0"}, "3"},
        {"COUNT DISTINCT, one zero", AGGREGATE_COUNT_DISTINCT, TYPE_DOUBLE, 0, {"0", "-0.0", "0.0"}, "1"},
        {"COUNT DISTINCT, one NaN",
         AGGREGATE_COUNT_DISTINCT,
         TYPE_DOUBLE,
         0,
         {"nan", "-nan", "nan", "inf", "-inf"},
         "3"},
        {"COUNT DISTINCT TIMESTAMP", AGGREGATE_COUNT_DISTINCT, TYPE_TIMESTAMP, 0, {"-1", "-1", "1"}, "2"},
        {"COUNT DISTINCT STRING", AGGREGATE_COUNT_DISTINCT, TYPE_STRING, 0, {"", "a", "A", "", "a", "ab"}, "4"},
        {"SUM of nothing", AGGREGATE_SUM, TYPE_BIGINT, 0, {END}, "NULL"},
        {"SUM INT", AGGREGATE_SUM, TYPE_INT, 0, {"2147483647", "2147483647", "-1"}, "4294967293"},
        {"SUM BIGINT", AGGREGATE_SUM, TYPE_BIGINT, 0, {"1", "-3"}, "-2"},
        {"SUM, wider on the way", AGGREGATE_SUM, TYPE_BIGINT, 0, {MAX_BIGINT, MAX_BIGINT, "-" MAX_BIGINT}, MAX_BIGINT},
        {"SUM, too large", AGGREGATE_SUM, TYPE_BIGINT, 0, {MAX_BIGINT, "1"}, "the sum is out of range for BIGINT*"},
        {"SUM, too small", AGGREGATE_SUM, TYPE_BIGINT, 0, {MIN_BIGINT, "-1"}, "the sum is out of range for BIGINT*"},
        {"SUM, the smallest", AGGREGATE_SUM, TYPE_BIGINT, 0, {MIN_BIGINT, "0"}, MIN_BIGINT},
        {"SUM DOUBLE of nothing", AGGREGATE_SUM, TYPE_DOUBLE, 0, {END}, "NULL"},
        {"SUM DOUBLE, exact", AGGREGATE_SUM, TYPE_DOUBLE, 0, {"1", "1e100", "1", "-1e100"}, "2"},
        {"SUM DOUBLE, infinite", AGGREGATE_SUM, TYPE_DOUBLE, 0, {"1", "inf", "2"}, "+Inf"},
        {"SUM DOUBLE, NaN", AGGREGATE_SUM, TYPE_DOUBLE, 0, {"1", "inf", "-inf"}, "NaN"},
        {"SUM DOUBLE, NaN among others", AGGREGATE_SUM, TYPE_DOUBLE, 0, {"1", "nan", "inf"}, "NaN"},
        {"SUM DOUBLE, overflow", AGGREGATE_SUM, TYPE_DOUBLE, 0, {"1e308", "1e308"}, DOUBLE_RANGE},
        {"SUM DOUBLE, overflow below", AGGREGATE_SUM, TYPE_DOUBLE, 0, {"-1e308", "-1e308"}, DOUBLE_RANGE},
        {"SUM DOUBLE, wider on the way",
         AGGREGATE_SUM,
         TYPE_DOUBLE,
         0,
         {MAX_DOUBLE, MAX_DOUBLE, "-" MAX_DOUBLE},
         MAX_DOUBLE},
        {"SUM DOUBLE, overflow by half a bit", AGGREGATE_SUM, TYPE_DOUBLE, 0, {MAX_DOUBLE, "0x1p970"}, DOUBLE_RANGE},
        {"SUM DOUBLE, nearly overflow",
         AGGREGATE_SUM,
         TYPE_DOUBLE,
         0,
         {MAX_DOUBLE, "0x1.fffffffffffffp969"},
         MAX_DOUBLE},
        {"SUM DOUBLE, infinity beside what would overflow",
         AGGREGATE_SUM,
         TYPE_DOUBLE,
         0,
         {"1e308", "1e308", "-inf"},
         "-Inf"},
        {"SUM DOUBLE of zeros", AGGREGATE_SUM, TYPE_DOUBLE, 0, {"0", "-0.0"}, "0"},
        {"SUM DOUBLE, subnormal", AGGREGATE_SUM, TYPE_DOUBLE, 0, {"5e-324", "5e-324"}, "1e-323"},
        {"AVG of nothing", AGGREGATE_AVG, TYPE_INT, 0, {END}, "NULL"},
        {"AVG INT", AGGREGATE_AVG, TYPE_INT, 0, {"1", "2"}, "1.5"},
        {"AVG BIGINT, no overflow", AGGREGATE_AVG, TYPE_BIGINT, 0, {MAX_BIGINT, MAX_BIGINT}, "9.223372036854776e+18"},
        {"AVG DOUBLE", AGGREGATE_AVG, TYPE_DOUBLE, 0, {"0.5", "1.5", "4"}, "2"},
        {"AVG BIGINT, rounded once",
         AGGREGATE_AVG,
         TYPE_BIGINT,
         0,
         {"7774682441569153724", "5993596975314729433", "8676549423266583914"},
         "7.481609613383489e+18"},
        {"AVG BIGINT, a third", AGGREGATE_AVG, TYPE_BIGINT, 0, {"-1", "0", "0"}, "-0.3333333333333333"},
        {"AVG DOUBLE, rounded once", AGGREGATE_AVG, TYPE_DOUBLE, 0, {"0.8", "8.4", "7.4"}, "5.533333333333333"},
        {"AVG DOUBLE, a third of the smallest", AGGREGATE_AVG, TYPE_DOUBLE, 0, {"5e-324", "5e-324", "0"}, "5e-324"},
        {"AVG DOUBLE, half of the smallest", AGGREGATE_AVG, TYPE_DOUBLE, 0, {"5e-324", "0"}, "0"},
        {"AVG DOUBLE, subnormal",
         AGGREGATE_AVG,
         TYPE_DOUBLE,
         0,
         {"1.482493043086689e-308", "-6.675221575521604e-308", "1.1125369292536007e-308"},
         "-1.360063867727105e-308"},
        {"AVG DOUBLE, its sum overflows", AGGREGATE_AVG, TYPE_DOUBLE, 0, {"1.7e308", "1.7e308"}, DOUBLE_RANGE},
        {"AVG DOUBLE, infinite", AGGREGATE_AVG, TYPE_DOUBLE, 0, {"1", "-inf"}, "-Inf"},
        {"AVG DOUBLE of nothing", AGGREGATE_AVG, TYPE_DOUBLE, 0, {END}, "NULL"},
        {"MIN of nothing", AGGREGATE_MIN, TYPE_BIGINT, 0, {END}, "NULL"},
        {"MIN INT", AGGREGATE_MIN, TYPE_INT, 0, {"3", "-4", "5"}, "-4"},
        {"MAX INT, below zero", AGGREGATE_MAX, TYPE_INT, 0, {"-3", "-4"}, "-3"},
        {"MIN BIGINT", AGGREGATE_MIN, TYPE_BIGINT, 0, {"0", MIN_BIGINT}, MIN_BIGINT},
        {"MAX BIGINT", AGGREGATE_MAX, TYPE_BIGINT, 0, {MAX_BIGINT, "0"}, MAX_BIGINT},
        {"MIN TIMESTAMP", AGGREGATE_MIN, TYPE_TIMESTAMP, 0, {"5", "-5"}, "-5"},
        {"MAX TIMESTAMP", AGGREGATE_MAX, TYPE_TIMESTAMP, 0, {"5", "-5"}, "5"},
        {"MIN DOUBLE", AGGREGATE_MIN, TYPE_DOUBLE, 0, {"1", "-inf", "nan"}, "-Inf"},
        {"MIN DOUBLE, NaN first", AGGREGATE_MIN, TYPE_DOUBLE, 0, {"nan", "7"}, "7"},
        {"MIN DOUBLE of NaN", AGGREGATE_MIN, TYPE_DOUBLE, 0, {"nan"}, "NaN"},
        {"MAX DOUBLE, NaN is above all", AGGREGATE_MAX, TYPE_DOUBLE, 0, {"1", "nan", "inf"}, "NaN"},
        {"MIN DOUBLE, both zeros", AGGREGATE_MIN, TYPE_DOUBLE, 0, {"0", "-0.0", "0"}, "-0"},
        {"MIN DOUBLE, both zeros again", AGGREGATE_MIN, TYPE_DOUBLE, 0, {"-0.0", "0"}, "-0"},
        {"MAX DOUBLE, both zeros", AGGREGATE_MAX, TYPE_DOUBLE, 0, {"-0.0", "0", "-0.0"}, "0"},
        {"MAX DOUBLE, both zeros again", AGGREGATE_MAX, TYPE_DOUBLE, 0, {"0", "-0.0"}, "0"},
        {"MIN STRING, by bytes", AGGREGATE_MIN, TYPE_STRING, 0, {"b", "aa", "B", "\xc3\xa4"}, "\"B\""},
        {"MAX STRING, by bytes", AGGREGATE_MAX, TYPE_STRING, 0, {"b", "bb", "B", "\xc3\xa4"}, "\"ä\""},
        {"MIN STRING, an empty one", AGGREGATE_MIN, TYPE_STRING, 0, {"a", ""}, "\"\""},
        {"MAX STRING, shorter", AGGREGATE_MAX, TYPE_STRING, 0, {"aaaa", "b"}, "\"b\""},
        {"MAX STRING of nothing", AGGREGATE_MAX, TYPE_STRING, 0, {END}, "NULL"},
        {"STDDEV_POP of nothing", AGGREGATE_STDDEV_POP, TYPE_DOUBLE, 0, {END}, "NULL"},
        {"STDDEV_POP of one", AGGREGATE_STDDEV_POP, TYPE_DOUBLE, 0, {"-7.25"}, "0"},
        {"STDDEV_POP of one, huge", AGGREGATE_STDDEV_POP, TYPE_DOUBLE, 0, {MAX_DOUBLE}, "0"},
        {"STDDEV_POP of equal ones", AGGREGATE_STDDEV_POP, TYPE_DOUBLE, 0, {"0.1", "0.1", "0.1"}, "0"},
        {"STDDEV_POP INT", AGGREGATE_STDDEV_POP, TYPE_INT, 0, {"2", "4", "4", "4", "5", "5", "7", "9"}, "2"},
        {"STDDEV_POP INT, the widest", AGGREGATE_STDDEV_POP, TYPE_INT, 0, {"2147483647", "-2147483647"}, "2147483647"},
        {"STDDEV_POP BIGINT of nothing", AGGREGATE_STDDEV_POP, TYPE_BIGINT, 0, {END}, "NULL"},
        {"STDDEV_POP BIGINT, the widest",
         AGGREGATE_STDDEV_POP,
         TYPE_BIGINT,
         0,
         {MIN_BIGINT, MAX_BIGINT, MIN_BIGINT, MAX_BIGINT},
         "9.223372036854776e+18"},
        {"STDDEV_POP BIGINT, far from zero",
         AGGREGATE_STDDEV_POP,
         TYPE_BIGINT,
         0,
         {"9223372036854775801", "9223372036854775803"},
         "1"},
        {"STDDEV_POP DOUBLE, far from zero", AGGREGATE_STDDEV_POP, TYPE_DOUBLE, 0, {"1e15", "1000000000000002"}, "1"},
        {"STDDEV_POP DOUBLE, huge", AGGREGATE_STDDEV_POP, TYPE_DOUBLE, 0, {MAX_DOUBLE, "-" MAX_DOUBLE}, MAX_DOUBLE},
        {"STDDEV_POP DOUBLE, tiny", AGGREGATE_STDDEV_POP, TYPE_DOUBLE, 0, {"1e-323", "-1e-323"}, "1e-323"},
        {"STDDEV_POP DOUBLE, one bit apart",
         AGGREGATE_STDDEV_POP,
         TYPE_DOUBLE,
         0,
         {"0x1p300", "0x1.0000000000001p300"},
         "2.261564242916332e+74"},
        {"STDDEV_POP DOUBLE, huge and tiny", AGGREGATE_STDDEV_POP, TYPE_DOUBLE, 0, {"1e300", "1e-300"}, "5e+299"},
        {"STDDEV_POP DOUBLE, infinite", AGGREGATE_STDDEV_POP, TYPE_DOUBLE, 0, {"1", "inf"}, "NaN"},
        {"STDDEV_POP DOUBLE, NaN", AGGREGATE_STDDEV_POP, TYPE_DOUBLE, 0, {"nan", "1"}, "NaN"},
        {"BOOL_AND of nothing", AGGREGATE_BOOL_AND, TYPE_BOOLEAN, 0, {END}, "NULL"},
        {"BOOL_AND", AGGREGATE_BOOL_AND, TYPE_BOOLEAN, 0, {"t", "t"}, "true"},
        {"BOOL_AND, one is false", AGGREGATE_BOOL_AND, TYPE_BOOLEAN, 0, {"t", "f", "t"}, "false"},
        {"PERCENTILE of nothing", AGGREGATE_PERCENTILE, TYPE_DOUBLE, 0.5, {END}, "NULL"},
        {"PERCENTILE, zero is exact", AGGREGATE_PERCENTILE, TYPE_INT, 0.5, {"0", "0", "5"}, "0"},
        {"PERCENTILE, infinity", AGGREGATE_PERCENTILE, TYPE_DOUBLE, 1, {"1", "inf"}, "+Inf"},
        {"PERCENTILE, minus infinity", AGGREGATE_PERCENTILE, TYPE_DOUBLE, 0, {"1", "-inf"}, "-Inf"},
        {"PERCENTILE, NaN is above all", AGGREGATE_PERCENTILE, TYPE_DOUBLE, 1, {"nan", "inf"}, "NaN"},
};

static void table_test(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		const struct aggregate *aggregate = aggregate_find(row->kind, row->type);
		struct budget budget = {.max_bytes = 1 << 20};
		void *one = state_new(aggregate);
		struct column column = {.type = TYPE_NULL};
		uint32_t numbers[TEXTS_MAX];
		size_t n = 0, done = 0, size = strlen(row->expected);
		bool start = row->expected[size - 1] == '*';
		char *found;

		if (row->type != TYPE_NULL)
			column_init(&column, row->type, TEXTS_MAX);
		for (; row->values[n]; n++) {
			numbers[n] = (uint32_t)n;
			if (row->type != TYPE_NULL)
				column_set(&column, n, value_of(row->type, row->values[n]));
		}
		assert_int_equal(add_rows(aggregate, one, &column, numbers, n, &budget, &done), 0);
		assert_int_equal(done, n);
		found = result_of(aggregate, one, row->parameter);
		if (start ? strncmp(found, row->expected, size - 1) != 0 : strcmp(found, row->expected) != 0)
			fail_msg("%s: %s, expected %s", row->name, found, row->expected);
		free(found);
		state_free(aggregate, one, &budget);
		if (budget.used_bytes)
			fail_msg("%s: %zu bytes of the budget are not given back", row->name, budget.used_bytes);
		if (row->type != TYPE_NULL)
			column_release(&column);
	}
}

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

enum { PERCENTILE_ROWS = 3000, EXTRAS_MAX = 4 };

/* Values that are even in their logarithm, and a few beside them. */
static const struct shape {
	const char *name;
	double from, to; /* powers of ten */
	bool negative, positive;
	double extras[EXTRAS_MAX];
	size_t extras_count;
} shapes[] = {
        {"one decade", 0, 1, false, true, {0}, 0},
        {"three decades", -1, 2, false, true, {0}, 0},
        {"nine decades", -3, 6, false, true, {0}, 0},
        {"twenty decades", -10, 10, false, true, {0}, 0},
        {"three hundred decades", -150, 150, false, true, {0}, 0},
        {"all there are", -323, 308, true, true, {0}, 0},
        {"one is huge", 0, 1, false, true, {1e300}, 1},
        {"one is the largest", 0, 1, false, true, {__DBL_MAX__}, 1},
        {"one is tiny", 0, 1, false, true, {1e-300}, 1},
        {"one is the smallest", 3, 4, false, true, {5e-324}, 1},
        {"one is huge, one tiny", 5, 6, false, true, {1e300, 1e-300}, 2},
        {"outliers on both sides", 0, 2, true, true, {1e200, -1e200, 1e-200, -1e-200}, 4},
        {"negative", -3, 6, true, false, {0}, 0},
        {"one is hugely negative", 0, 1, false, true, {-1e300}, 1},
        {"with zeros", 0, 3, true, true, {0, -0.0, 0, 0}, 4},
        {"subnormal", -323, -308, true, true, {0}, 1},
        {"infinities", 0, 1, true, true, {INFINITY, -INFINITY, INFINITY, 1e308}, 4},
};

static size_t make_values(const struct shape *shape, double *values)
{
	for (uint32_t i = 0; i < PERCENTILE_ROWS; i++) {
		double unit = (double)(i * 2654435761u) / 4294967296.0;

		values[i] = pow(10, shape->from + unit * (shape->to - shape->from));
		if (shape->negative && (!shape->positive || i % 3 == 0))
			values[i] = -values[i];
	}
	memcpy(values + PERCENTILE_ROWS, shape->extras, shape->extras_count * sizeof(double));
	return PERCENTILE_ROWS + shape->extras_count;
}

/* The values in three states, of which `order` says which one takes the others. */
static void *combined(const struct aggregate *aggregate, double *values, size_t n, size_t order, struct budget *budget)
{
	struct column column = {.type = TYPE_DOUBLE, .doubles = values};
	void *parts[3];

	for (size_t p = 0; p < 3; p++)
		parts[p] = state_new(aggregate);
	for (uint32_t i = 0; i < n; i++) {
		size_t done;

		assert_int_equal(add_rows(aggregate, parts[i * 3 / n], &column, &i, 1, budget, &done), 0);
	}
	for (size_t p = 1; p < 3; p++) {
		assert_int_equal(combine(aggregate, parts[order], parts[(order + p) % 3], budget), 0);
		state_free(aggregate, parts[(order + p) % 3], budget);
	}
	return parts[order];
}

/*
 * Within 1 % of the exact quantile's value, whatever the distribution and however far away a few values are, the same
 * for any order of lanes. The smallest doubles are a step apart.
 */
static void percentile_test(void **state)
{
	static const double parameters[] = {0, 0.0005, 0.01, 0.25, 0.5, 0.75, 0.95, 0.99, 0.9995, 1};
	const struct aggregate *aggregate = aggregate_find(AGGREGATE_PERCENTILE, TYPE_DOUBLE);
	double values[PERCENTILE_ROWS + EXTRAS_MAX], sorted[PERCENTILE_ROWS + EXTRAS_MAX];

	(void)state;
	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
		struct budget budget = {.max_bytes = 4 << 20};
		size_t n = make_values(&shapes[s], values);
		void *states[3];

		for (size_t order = 0; order < 3; order++)
			states[order] = combined(aggregate, values, n, order, &budget);
		memcpy(sorted, values, sizeof(sorted));
		qsort(sorted, n, sizeof(double), by_value);
		for (size_t p = 0; p < sizeof(parameters) / sizeof(parameters[0]); p++) {
			double exact = sorted[(size_t)(parameters[p] * (double)(n - 1))];
			struct value found[3];

			for (size_t order = 0; order < 3; order++)
				found[order] = value_in(aggregate, states[order], parameters[p]);
			if (found[0].real != found[1].real || found[0].real != found[2].real)
				fail_msg("%s, p = %g: another order of lanes, another value", shapes[s].name,
				         parameters[p]);
			if (found[0].real != exact &&
			    !(fabs(found[0].real - exact) <= 0.01 * fabs(exact) * (1 + 1e-12) + 5e-324))
				fail_msg("%s, p = %g: %g, exactly %g", shapes[s].name, parameters[p], found[0].real,
				         exact);
		}
		for (size_t order = 0; order < 3; order++)
			state_free(aggregate, states[order], &budget);
		assert_int_equal(budget.used_bytes, 0);
	}
}

/* Every finite magnitude of doubles, alone in a sketch; the smallest ones are a step apart. */
static void magnitudes_test(void **state)
{
	const struct aggregate *aggregate = aggregate_find(AGGREGATE_PERCENTILE, TYPE_DOUBLE);

	(void)state;
	for (int exponent = -1074; exponent < 1024; exponent++) {
		for (int part = 0; part < 27; part++) {
			double mantissa = 1 + part / 27.0;
			double exact = ldexp(exponent % 2 ? -mantissa : mantissa, exponent);
			struct column column = {.type = TYPE_DOUBLE, .doubles = &exact};
			struct budget budget = {.max_bytes = 1 << 20};
			void *one = state_new(aggregate);
			struct value value;
			size_t done;

			assert_int_equal(add_rows(aggregate, one, &column, &(uint32_t){0}, 1, &budget, &done), 0);
			value = value_in(aggregate, one, 0.5);
			if (!(fabs(value.real - exact) <= 0.01 * fabs(exact) * (1 + 1e-9) + 5e-324))
				fail_msg("%g became %g", exact, value.real);
			state_free(aggregate, one, &budget);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(table_test), cmocka_unit_test(percentile_test),
	                                   cmocka_unit_test(magnitudes_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
