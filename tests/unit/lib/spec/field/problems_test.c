#include "tests/unit/lib/spec/job_case.h"

static void order_test(void **state)
{
	struct problems problems;
	struct buffer out;

	(void)state;
	problems_init(&problems);
	buffer_init(&out);
	problems_add(&problems, "b", 1, 1, "p", "last", NULL);
	problems_add(&problems, "a", 10, 2, "p", "third", "mend it");
	problems_add(&problems, "a", 9, 30, "p", "second", NULL);
	problems_add(&problems, "a", 9, 4, "", "first", NULL);
	problems_add(&problems, "a", 10, 2, "p", "fourth", NULL);
	problems_add_at(&problems, "spec.x", 3, "no place", NULL);
	problems_print(&problems, &out);
	assert_string_equal(out.data, "spec.x: no place\n"
	                              "a:9:4: first\n"
	                              "a:9:30: p: second\n"
	                              "a:10:2: p: third; mend it\n"
	                              "a:10:2: p: fourth\n"
	                              "b:1:1: p: last\n");
	buffer_release(&out);
	problems_release(&problems);
}

static void once_test(void **state)
{
	struct problems problems;

	(void)state;
	problems_init(&problems);
	problems_add(&problems, "a", 1, 1, "p", "wrong", NULL);
	problems_add(&problems, "a", 1, 1, "p", "wrong", NULL);
	assert_int_equal(problems.count, 1);
	problems_add(&problems, "a", 1, 2, "p", "wrong", NULL);
	problems_add_at(&problems, "p", 1, "wrong", NULL);
	problems_add_at(&problems, "p", 2, "wrong", NULL);
	assert_int_equal(problems.count, 4);
	problems_release(&problems);
}

static void many_test(void **state)
{
	struct problems problems;
	struct buffer out;

	(void)state;
	problems_init(&problems);
	buffer_init(&out);
	for (int i = 0; i < PROBLEMS_MAX + 7; i++)
		problems_add(&problems, "a", i + 1, 1, "p", "wrong", NULL);
	assert_int_equal(problems.count, PROBLEMS_MAX);
	problems_print(&problems, &out);
	assert_non_null(strstr(out.data, "a:200:1: p: wrong\nand 7 more problems\n"));
	buffer_release(&out);
	problems_release(&problems);
}

static void copies_test(void **state)
{
	char path[] = "path", wrong[] = "wrong";
	struct problems problems;
	struct buffer out;

	(void)state;
	problems_init(&problems);
	buffer_init(&out);
	problems_add(&problems, NULL, 0, 0, path, wrong, NULL);
	path[0] = wrong[0] = 'X';
	problems_print(&problems, &out);
	assert_string_equal(out.data, "path: wrong\n");
	buffer_release(&out);
	problems_release(&problems);
}

static void control_characters_test(void **state)
{
	struct problems problems;
	struct buffer out;

	(void)state;
	problems_init(&problems);
	buffer_init(&out);
	problems_add(&problems, NULL, 0, 0, "a\nb", "found \x1b[31m", "not\x7f");
	problems_print(&problems, &out);
	assert_string_equal(out.data, "a\\x0ab: found \\x1b[31m; not\\x7f\n");
	buffer_release(&out);
	problems_release(&problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(order_test), cmocka_unit_test(once_test),
	                                   cmocka_unit_test(many_test), cmocka_unit_test(copies_test),
	                                   cmocka_unit_test(control_characters_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
