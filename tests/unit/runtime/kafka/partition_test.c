/* What nobody can read lies between the last record and the end; nothing else is passed by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/kafka/partition.h"

static void gaps(void **state)
{
	struct partition partition = {0};

	(void)state;
	partition_place(&partition, 10);
	assert_int_equal(partition_past_gap(&partition, 10), 10);
	partition_end(&partition, 10); /* nothing there */
	assert_int_equal(partition_past_gap(&partition, 10), 10);
	assert_int_equal(partition.position, 10);
	partition_end(&partition, 15); /* aborted records */
	assert_int_equal(partition.position, 15);
	assert_int_equal(partition_past_gap(&partition, 9), 9);
	assert_int_equal(partition_past_gap(&partition, 10), 15);
	assert_int_equal(partition_past_gap(&partition, 14), 15);
	assert_int_equal(partition_past_gap(&partition, 15), 15);
	assert_int_equal(partition_past_gap(&partition, 16), 16);
	partition.after_record = 20; /* records up to 19, and then a marker */
	partition_end(&partition, 21);
	assert_int_equal(partition_past_gap(&partition, 15), 15);
	assert_int_equal(partition_past_gap(&partition, 19), 19);
	assert_int_equal(partition_past_gap(&partition, 20), 21);
	partition_end(&partition, 21); /* the same end again, after a fetch that brought nothing */
	assert_int_equal(partition_past_gap(&partition, 20), 21);
	partition_end(&partition, 18); /* a late word of an end before */
	assert_int_equal(partition_past_gap(&partition, 20), 21);
	partition_place(&partition, 5);
	assert_int_equal(partition_past_gap(&partition, 20), 20);
	assert_int_equal(partition_past_gap(&partition, 5), 5);
	assert_int_equal(partition.committed, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(gaps)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
