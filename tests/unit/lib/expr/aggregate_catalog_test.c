/* The catalog of aggregates: names, forms, signatures. */
#include "lib/expr/aggregate_catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void find_test(void **state)
{
	static const struct {
		const char *name;
		enum aggregate_form form;
		const char *id; /* NULL: there is none */
	} cases[] = {
	        {"count", FORM_ROWS, "COUNT_ROWS"},
	        {"Count", FORM_VALUES, "COUNT"},
	        {"COUNT", FORM_DISTINCT, "COUNT_DISTINCT"},
	        {"sum", FORM_VALUES, "SUM"},
	        {"sum", FORM_DISTINCT, NULL},
	        {"sum", FORM_ROWS, NULL},
	        {"max", FORM_DISTINCT, "MAX"},
	        {"max", FORM_ROWS, NULL},
	        {"maximum", FORM_VALUES, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct aggregate_entry *entry = aggregate_entry_find(cases[i].name, cases[i].form);

		if (!entry != !cases[i].id || (entry && strcmp(entry->id, cases[i].id) != 0))
			fail_msg("%s in form %d is %s", cases[i].name, (int)cases[i].form, entry ? entry->id : "none");
		if (entry)
			assert_ptr_equal(entry, aggregate_entry(aggregate_entry_kind(entry)));
	}
}

static void signature_test(void **state)
{
	static const struct {
		enum aggregate_kind kind;
		const char *signature;
	} cases[] = {{AGGREGATE_COUNT_ROWS, "COUNT(*)"},
	             {AGGREGATE_COUNT_DISTINCT, "COUNT(DISTINCT any)"},
	             {AGGREGATE_SUM, "SUM(number)"},
	             {AGGREGATE_MIN, "MIN(value)"},
	             {AGGREGATE_PERCENTILE, "PERCENTILE(number, fraction)"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer out;

		buffer_init(&out);
		aggregate_signature(aggregate_entry(cases[i].kind), &out);
		assert_string_equal(out.data, cases[i].signature);
		buffer_release(&out);
	}
}

/* Lines of one name stand together, each form once; every line says what it is. */
static void lines_test(void **state)
{
	(void)state;
	for (enum aggregate_kind a = 0; a < AGGREGATE_KINDS; a++) {
		const struct aggregate_entry *entry = aggregate_entry(a);

		assert_true(aggregate_name(entry->name));
		assert_true(entry->meaning[0]);
		assert_true((entry->form == FORM_ROWS) == (entry->arguments[0] == ARGUMENT_NONE));
		for (enum aggregate_kind b = a + 1; b < AGGREGATE_KINDS; b++) {
			const struct aggregate_entry *other = aggregate_entry(b);

			if (strcmp(entry->name, other->name) != 0)
				continue;
			assert_string_equal(aggregate_entry(b - 1)->name, entry->name);
			assert_true(entry->form != other->form && entry->form != FORM_EITHER &&
			            other->form != FORM_EITHER);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(find_test), cmocka_unit_test(signature_test),
	                                   cmocka_unit_test(lines_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
