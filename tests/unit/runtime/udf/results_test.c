/* Text from an untrusted process: each piece must be UTF-8 by itself, wherever it begins and ends. */
#include "tests/unit/runtime/udf/worker_case.h"

#include "runtime/udf/results.h"

static const struct {
	const char *name;
	struct slice pieces[3];
	const char *nulls;
	bool good;
} cases[] = {
        {"ASCII", {SLICE_LITERAL("one"), SLICE_LITERAL(""), SLICE_LITERAL("three")}, NULL, true},
        {"whole characters",
         {SLICE_LITERAL("\xc3\xa9"), SLICE_LITERAL("\xe6\x97\xa5"), SLICE_LITERAL("x")},
         NULL,
         true},
        {"NULL", {SLICE_LITERAL("a"), SLICE_LITERAL(""), SLICE_LITERAL("\xc3\xa9")}, ".x.", true},
        {"not UTF-8", {SLICE_LITERAL("a"), SLICE_LITERAL("\xff"), SLICE_LITERAL("b")}, NULL, false},
        {"a character in two pieces", {SLICE_LITERAL("a\xc3"), SLICE_LITERAL("\xa9"), SLICE_LITERAL("b")}, NULL, false},
        {"and over an empty one", {SLICE_LITERAL("a\xc3"), SLICE_LITERAL(""), SLICE_LITERAL("\xa9")}, NULL, false},
        {"cut at the end", {SLICE_LITERAL("a"), SLICE_LITERAL("b"), SLICE_LITERAL("\xc3")}, NULL, false},
};

static void strings_of_replies(void **state)
{
	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		_Alignas(16) char bytes[512];
		struct column said = case_column(TYPE_STRING, cases[c].pieces, 3, cases[c].nulls), got;
		struct wire_out out = {.data = bytes, .max = sizeof(bytes)};
		struct udf_worker worker = {.results_count = 1, .results = {TYPE_STRING}};
		const uint32_t places[] = {1, 4, 5};

		wire_put_column(&out, &said, case_rows(), 3);
		worker.in = (struct wire_in){.data = bytes, .size = out.size};
		arena_init(&worker.arena);
		column_init(&got, TYPE_STRING, 8);
		take_values(&worker, places, 3, &got);
		if (worker.in.bad == cases[c].good)
			fail_msg("%s: taken for %s", cases[c].name, cases[c].good ? "bad" : "good");
		for (size_t i = 0; cases[c].good && i < 3; i++) {
			if (got.valid[places[i]] != said.valid[i])
				fail_msg("%s: NULL at %zu", cases[c].name, i);
			if (said.valid[i] && !slice_equal(got.strings[places[i]], cases[c].pieces[i]))
				fail_msg("%s: \"%.*s\"", cases[c].name, SLICE_ARG(got.strings[places[i]]));
		}
		arena_release(&worker.arena);
		column_release(&got);
		column_release(&said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(strings_of_replies)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
