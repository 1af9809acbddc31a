/* The reader of what an untrusted process wrote: nothing it can say reads outside of the bytes. */
#include "tests/unit/runtime/udf/worker_case.h"

#include "runtime/udf/wire.h"

static void there_and_back(void **state)
{
	_Alignas(16) char bytes[4096];
	struct slice texts[] = {SLICE_LITERAL("one"), SLICE_LITERAL(""), SLICE_LITERAL("three")};
	double reals[] = {1.5, 0, -2};
	struct column strings = case_column(TYPE_STRING, texts, 3, ".x."),
	              doubles = case_column(TYPE_DOUBLE, reals, 3, NULL);
	struct wire_out out = {.data = bytes, .max = sizeof(bytes)};
	const uint32_t rows[] = {2, 1, 0};
	struct wire_column column;
	struct wire_in in;

	(void)state;
	wire_put_column(&out, &strings, rows, 3);
	wire_put_column(&out, &doubles, rows, 2);
	wire_put_text(&out, SLICE_LITERAL("end"));
	in = (struct wire_in){.data = bytes, .size = out.size};
	wire_take_column(&in, 3, &column);
	assert_true(column.nulls);
	assert_true(slice_equal(wire_string(&column, 0), texts[2]));
	assert_true(slice_equal(wire_string(&column, 2), texts[0]));
	wire_take_column(&in, 2, &column);
	assert_true(column.doubles[0] == -2);
	assert_false(column.nulls);
	assert_true(slice_equal(wire_take_text(&in), SLICE_LITERAL("end")));
	assert_false(in.bad);
	wire_take_u32(&in);
	assert_true(in.bad);
	column_release(&strings);
	column_release(&doubles);
}

/* Every word of a good reply set to every value of these, and every length: read or refused, never outside. */
static void whatever_is_written(void **state)
{
	static const uint32_t values[] = {0, 1, 2, 5, 6, 7, 255, 4096, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff};
	_Alignas(16) char good[512];
	struct slice texts[] = {SLICE_LITERAL("one"), SLICE_LITERAL("two"), SLICE_LITERAL("three")};
	struct column strings = case_column(TYPE_STRING, texts, 3, NULL);
	struct wire_out out = {.data = good, .max = sizeof(good)};
	size_t refused = 0;

	(void)state;
	wire_put_column(&out, &strings, case_rows(), 3);
	wire_put_text(&out, SLICE_LITERAL("text"));
	for (size_t size = 0; size <= out.size; size++) {
		for (size_t at = 0; at + sizeof(uint32_t) <= size; at += sizeof(uint32_t)) {
			for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
				char *bytes = malloc(size); /* of its own, so that a sanitizer sees its end */
				struct wire_in in = {.data = bytes, .size = size};
				struct wire_column column;
				size_t read = 0;

				memcpy(bytes, good, size);
				memcpy(bytes + at, &values[v], sizeof(values[v]));
				wire_take_column(&in, 3, &column);
				for (size_t i = 0; !in.bad && column.type == TYPE_STRING && i < 3; i++)
					for (size_t b = 0; b < wire_string(&column, i).size; b++)
						read += (unsigned char)wire_string(&column, i).data[b];
				read += wire_take_text(&in).size;
				refused += in.bad;
				assert_true(read < 1 << 20);
				free(bytes);
			}
		}
	}
	assert_true(refused > 100);
	column_release(&strings);
}

static void no_room(void **state)
{
	_Alignas(16) char bytes[64];
	struct wire_out out = {.data = bytes, .max = 40};

	(void)state;
	assert_non_null(wire_reserve(&out, 40));
	assert_null(wire_reserve(&out, 1));
	assert_true(out.overflow);
	assert_null(wire_reserve(&out, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(there_and_back),
	        cmocka_unit_test(whatever_is_written),
	        cmocka_unit_test(no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
