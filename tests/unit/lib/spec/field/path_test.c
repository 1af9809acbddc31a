#include "lib/spec/field/patterns.h"
#include "tests/unit/lib/spec/job_case.h"

static void paths_test(void **state)
{
	static const struct {
		const char *path, *wrong; /* NULL: good */
	} rows[] = {
	        {"$.a", NULL},
	        {"$.a.b_2.c-d", NULL},
	        {"$['odd name']", NULL},
	        {"$['a.b']['c']", NULL},
	        {"$[0]", NULL},
	        {"$.a[17].b", NULL},
	        {"$.a[999999]", NULL},
	        {"$.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", NULL},
	        {"$.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", "the path has 17 parts; at most 16"},
	        {"", "a path begins with $"},
	        {"a", "a path begins with $"},
	        {"$", "$ is the whole record"},
	        {"$a", "at character 2"},
	        {"$.", "at character 2"},
	        {"$..a", "at character 2"},
	        {"$.a.", "at character 4"},
	        {"$.1a", "at character 2"},
	        {"$.a b", "at character 4"},
	        {"$['']", "at character 2"},
	        {"$['a", "at character 2"},
	        {"$['a'", "at character 2"},
	        {"$[\"a\"]", "at character 2"},
	        {"$[]", "at character 2"},
	        {"$[-1]", "at character 2"},
	        {"$[1", "at character 2"},
	        {"$[1234567]", "at character 2"},
	        {"$.a[*]", "at character 4"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = {"good"};
		int result = jobspec_path_check(slice_of(rows[i].path), &err);

		if ((result == 0) != !rows[i].wrong || (rows[i].wrong && !strstr(err.text, rows[i].wrong)))
			fail_msg("%s: %s", rows[i].path, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(paths_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
