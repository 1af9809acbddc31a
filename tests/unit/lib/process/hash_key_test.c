/* Each draw is another secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/hash.h"
#include "lib/process/hash_key.h"

static void draw_test(void **state)
{
	uint64_t first;

	(void)state;
	hash_key_draw();
	first = hash_bytes("a", 1);
	assert_true(hash_bytes("a", 1) == first);
	hash_key_draw();
	assert_true(hash_bytes("a", 1) != first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(draw_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
