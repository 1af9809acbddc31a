#include "lib/process/program_identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <string.h>

static void identity_test(void **state)
{
	char one[PROGRAM_IDENTITY_SIZE], again[PROGRAM_IDENTITY_SIZE], more[PROGRAM_IDENTITY_SIZE];
	void *library;

	(void)state;
	assert_true(program_identity(one));
	assert_true(program_identity(again));
	assert_string_equal(one, again);
	assert_int_equal(strspn(one, "0123456789abcdef"), PROGRAM_IDENTITY_SIZE - 1);
	library = dlopen("libutil.so.1", RTLD_NOW); /* of the C library, and linked to nothing */
	assert_non_null(library);
	assert_true(program_identity(more));
	assert_string_not_equal(one, more);
	dlclose(library);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(identity_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
