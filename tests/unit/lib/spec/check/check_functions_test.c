/* What a job says of its functions, and where it calls them. */
#include "tests/unit/lib/spec/job_case.h"

#define RETURNS "returns: [{name: r, type: DOUBLE}]"
#define HEAD    KEYS "\n  functions:\n  "
#define SCALAR  "- {name: f, kind: scalar, entrypoint: 'm:f', " RETURNS "}"
#define UNKNOWN "- {name: f, kind: scalar, entrypoint: 'm:f'}"
#define PAIR                                                                                                           \
	"- {name: t, kind: tableAggregate, entrypoint: 'm:t', returns: [{name: a, type: INT}, {name: b, type: INT}]}"
#define SPLIT "- {name: t, kind: table, entrypoint: 'm:t', returns: [{name: a, type: INT}]}"

static void fields_test(void **state)
{
	static const struct job_case cases[] = {
	        {"a good one", KEYS, HEAD SCALAR, ""},
	        {"a name of SQL's own", KEYS, HEAD "- {name: Length, kind: scalar, entrypoint: 'm:f', " RETURNS "}",
	         "job.yaml:12:12: spec.functions[0].name: Length is a function of SQL's own; choose another name\n"},
	        {"an aggregate's name", KEYS, HEAD "- {name: sum, kind: aggregate, entrypoint: 'm:f', " RETURNS "}",
	         "job.yaml:12:12: spec.functions[0].name: sum is a function of SQL's own; choose another name\n"},
	        {"a name twice, in another case", KEYS, HEAD SCALAR "\n  - {name: F, kind: scalar, entrypoint: 'm:f'}",
	         "job.yaml:13:12: spec.functions[1].name: F is the name of spec.functions[0] already; choose another "
	         "name\n"},
	        {"no kind", KEYS, HEAD "- {name: f, entrypoint: 'm:f'}",
	         "job.yaml:12:5: spec.functions[0].kind: is missing; *\n"},
	        {"no attribute", KEYS, HEAD "- {name: f, kind: scalar, entrypoint: metrics}",
	         "job.yaml:12:41: spec.functions[0].entrypoint: *\n"},
	        {"two codes", KEYS, HEAD "- {name: f, kind: scalar, entrypoint: 'm:f', code: {inline: x, path: z}}",
	         "job.yaml:12:54: spec.functions[0].code: has 2 of inline, configMapRef and path; give exactly one\n"},
	        {"python in process", KEYS, HEAD "- {name: f, kind: scalar, entrypoint: 'm:f', isolation: inProcess}",
	         "job.yaml:12:59: spec.functions[0].isolation: isolation inProcess is for native functions; leave it "
	         "out, "
	         "or write the function in C\n"},
	        {"native text", KEYS,
	         HEAD "- {name: f, kind: scalar, entrypoint: 'm:f', language: native, code: {inline: x}}",
	         "job.yaml:12:72: spec.functions[0].code: native code is a shared object, not text; *\n"},
	        {"a scalar with two results", KEYS,
	         HEAD
	         "- {name: f, kind: scalar, entrypoint: 'm:f', returns: [{name: a, type: INT}, {name: b, type: INT}]}",
	         "job.yaml:12:57: spec.functions[0].returns: a scalar function has one result; *\n"},
	        {"errors to no dead letter", KEYS,
	         HEAD "- {name: f, kind: scalar, entrypoint: 'm:f', onError: deadLetter}",
	         "job.yaml:12:3: spec.functions: onError is deadLetter, but there is no spec.deadLetter; *\n"},
	        {"poison rows to no dead letter", KEYS,
	         HEAD "- {name: f, kind: scalar, entrypoint: 'm:f', onPoisonRow: deadLetter}",
	         "job.yaml:12:3: spec.functions: onPoisonRow is deadLetter, but there is no spec.deadLetter; *\n"},
	        {"neither name nor columns", "{name: m, expr: " AVERAGE "}", "{expr: " AVERAGE "}",
	         "job.yaml:13:12: spec.aggregates[1].expr: one of name and columns is needed, not both; *\n"},
	        {"both name and columns", "name: m,", "name: m, columns: [x],",
	         "job.yaml:13:35: spec.aggregates[1].expr: one of name and columns is needed, not both; *\n"
	         "job.yaml:13:36: spec.aggregates[1].expr: with columns this is not the call of an aggregate *\n"},
	};

	(void)state;
	RUN_CASES(cases);
}

/* In the good job's aggregates, line 13 becomes line 13 plus the functions' lines: `functions` stands before. */
static void calls_test(void **state)
{
	static const struct {
		const char *name, *functions, *rest, *expected;
	} cases[] = {
	        {"in any case", SCALAR, "filter: F(v) > 1", ""},
	        {"a type that does not fit", SCALAR, "filter: f(v)", "*: spec.filter: is a DOUBLE, not a BOOLEAN; *"},
	        {"an unknown type", UNKNOWN, "filter: f(v)", ""},
	        {"an unknown type beside a problem", UNKNOWN, "filter: f(v) > 1 AND w > 1",
	         "*: spec.filter: there is no column \"w\"; *"},
	        {"what an unknown type leads to", UNKNOWN, "select: [{name: s, expr: f(v)}, {name: u, expr: s + 1}]",
	         "*"},
	        {"a name that is near", SCALAR, "filter: ff(v) > 1",
	         "*: spec.filter: there is no function ff; did you mean f?"},
	        {"a whole row", SCALAR, "filter: f(*) > 1", ""},
	        {"a row of some columns", SCALAR, "filter: f(ROW(v, bucket)) > f(ROW(v, bucket))", ""},
	        {"a row of a column that is not there", SCALAR, "filter: f(ROW(v, w)) > 1",
	         "*: spec.filter: there is no column \"w\"; *"},
	        {"a whole row and none", SCALAR, "filter: f(*) > f(v)",
	         "*: spec.functions[0].name: f is called with DISTINCT and without, or with a whole row and without, "
	         "*"},
	        {"rows of other fields", SCALAR, "filter: f(ROW(v)) > f(ROW(bucket))",
	         "*: spec.functions[0].name: f is called with DISTINCT and without, *"},
	        {"DISTINCT of a scalar", SCALAR, "filter: f(DISTINCT v) > 1",
	         "*: spec.filter: FILTER, DISTINCT and ORDER BY do not go with f; *"},
	        {"a table function in a filter", SPLIT, "filter: t(v) > 1",
	         "*: spec.filter: t may not stand here; a table function stands in lateral"},
	        {"a table aggregate in a filter", PAIR, "filter: t(v) > 1",
	         "*: spec.filter: t may not stand here; a table aggregate stands alone in aggregates, with columns"},
	        {"lateral", SPLIT, "lateral: [{expr: t(v), columns: [x]}]", ""},
	        {"lateral of a scalar", SCALAR, "lateral: [{expr: f(v), columns: [x]}]",
	         "*: spec.lateral[0].expr: f may not stand here; *"},
	        {"lateral of no call", SPLIT, "lateral: [{expr: v, columns: [x]}]",
	         "*: spec.lateral[0].expr: this is not the call of a table function of spec.functions; *"},
	        {"lateral with other columns", SPLIT, "lateral: [{expr: t(v), columns: [x, z]}]",
	         "*: spec.lateral[0].expr: t has 1 result fields, but there are 2 columns; *"},
	        {"lateral with a column that is there", SPLIT, "lateral: [{expr: t(v), columns: [bucket]}]",
	         "*: spec.lateral[0].columns[0]: bucket is the name of spec.columns[0] already; *"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer text;
		char *job, *found;
		bool good;

		buffer_init(&text);
		buffer_printf(&text, KEYS "\n  %s\n  functions:\n  %s", cases[i].rest, cases[i].functions);
		job = spoil(cases[i].name, KEYS, text.data);
		found = problems_of(slice_of(job));
		good = cases[i].expected[0] ? true : !*found;
		if (!strcmp(cases[i].expected, "*")) {
			/* Only that select may not see itself: s is not a column of its own list. */
			good = strstr(found, "select[1]") && !strstr(found, "select[0]");
		} else if (cases[i].expected[0]) {
			const char *want = cases[i].expected + 1;
			size_t size = strlen(want) - (want[strlen(want) - 1] == '*');
			const char *at = strstr(found, "spec.");
			struct slice start = {want + 2, size - 2};

			good = at && strlen(at) >= start.size && !memcmp(at, start.data, start.size) &&
			       strchr(found, '\n') == found + strlen(found) - 1;
		}
		if (!good)
			fail_msg("%s: expected %s, found %s", cases[i].name, cases[i].expected, found);
		free(found);
		free(job);
		buffer_release(&text);
	}
}

#define AGGREGATE "{name: m, expr: " AVERAGE "}"

static void aggregates_test(void **state)
{
	static const struct {
		const char *name, *functions, *aggregate, *expected;
	} cases[] = {
	        {"columns", PAIR, "{columns: [x, z], expr: t(v)}", ""},
	        {"columns and FILTER", PAIR, "{columns: [x, z], expr: t(v) FILTER (WHERE v > 1)}", ""},
	        {"too few columns", PAIR, "{columns: [x], expr: t(v)}",
	         "spec.aggregates[1].expr: t has 2 result fields, but there are 1 columns; name each of them"},
	        {"a name instead", PAIR, "{name: m, expr: t(v)}",
	         "spec.aggregates[1].expr: t may not stand here; a table aggregate stands alone in aggregates, with "
	         "columns"},
	        {"columns of SQL's own", PAIR, "{columns: [x, z], expr: SUM(v)}",
	         "spec.aggregates[1].expr: with columns this is not the call of an aggregate of spec.functions alone; "
	         "*"},
	        {"columns of an expression", PAIR, "{columns: [x, z], expr: t(v) + 1}",
	         "spec.aggregates[1].expr: with columns this is not the call of an aggregate of spec.functions alone; "
	         "*"},
	        {"a column that is a key", PAIR, "{columns: [x, bucket], expr: t(v)}",
	         "spec.aggregates[1].columns[1]: bucket is a group key; choose another name"},
	        {"a column that is an aggregate", PAIR, "{columns: [c, x], expr: t(v)}",
	         "spec.aggregates[1].columns[0]: c is the name of spec.aggregates[0] already; choose another name"},
	        {"an aggregate in another", "- {name: a, kind: aggregate, entrypoint: 'm:a', " RETURNS "}",
	         "{name: m, expr: SUM(a(v))}", "spec.aggregates[1].expr: the aggregate a may not stand here; *"},
	        {"an aggregate of an aggregate", "- {name: a, kind: aggregate, entrypoint: 'm:a', " RETURNS "}",
	         "{name: m, expr: a(SUM(v))}", "spec.aggregates[1].expr: the aggregate sum may not stand here; *"},
	        {"a row with a name",
	         "- {name: a, kind: aggregate, entrypoint: 'm:a', returns: [{name: p, type: INT}, {name: q, "
	         "type: INT}]}",
	         "{name: m, expr: a(v)}",
	         "spec.aggregates[1].expr: the result of a is a row of 2 fields; give the aggregate columns instead of "
	         "a name"},
	        {"two arguments, in an expression", "- {name: a, kind: aggregate, entrypoint: 'm:a', " RETURNS "}",
	         "{name: m, expr: 'a(v, v + 1) / COUNT(*)'}", ""},
	        {"an unknown result", "- {name: a, kind: aggregate, entrypoint: 'm:a'}", "{name: m, expr: a(v) / 2}",
	         ""},
	        {"a filter that is no condition", "- {name: a, kind: aggregate, entrypoint: 'm:a', " RETURNS "}",
	         "{name: m, expr: a(v) FILTER (WHERE v)}",
	         "spec.aggregates[1].expr: FILTER (WHERE …) needs type BOOLEAN, this has type BIGINT; *"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *want = cases[i].expected, *at;
		size_t size = strlen(want) - (*want && want[strlen(want) - 1] == '*');
		struct buffer text;
		char *job, *found;

		buffer_init(&text);
		buffer_printf(&text, "%s\n  functions:\n  %s", cases[i].aggregate, cases[i].functions);
		job = spoil(cases[i].name, AGGREGATE, text.data);
		found = problems_of(slice_of(job));
		at = strstr(found, "spec.");
		if (*want ? !at || strncmp(at, want, size) != 0 || strchr(found, '\n') != found + strlen(found) - 1
		          : *found != '\0')
			fail_msg("%s: expected %s, found %s", cases[i].name, want, found);
		free(found);
		free(job);
		buffer_release(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(fields_test), cmocka_unit_test(calls_test),
	                                   cmocka_unit_test(aggregates_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
