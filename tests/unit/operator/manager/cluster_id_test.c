#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "operator/manager/cluster_id.h"

#define SIXTY_THREE "a23456789-123456789-123456789-123456789-123456789-123456789-123"

/* A '/' would make one owner of two: CLUSTER/NAMESPACE/NAME. */
static void good_test(void **state)
{
	static const struct {
		const char *id;
		bool good;
	} rows[] = {
	        {"0123456789abcdef", true}, {"prod-eu.1_a", true}, {SIXTY_THREE, true}, {"", false},
	        {SIXTY_THREE "4", false},   {"prod/eu", false},    {"prod eu", false},  {"caf\xc3\xa9", false},
	        {"prod\n", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (cluster_id_is_good(rows[i].id) != rows[i].good)
			fail_msg("\"%s\"", rows[i].id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(good_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
