/* Aggregates and table aggregates: slots, tables, values, saving and merging; whole columns; metrics. */
#include "tests/unit/runtime/udf/worker_case.h"

static const char mean[] = "from pyflink.table import AggregateFunction, DataTypes\n"
                           "class Mean(AggregateFunction):\n"
                           "    def open(self, context):\n"
                           "        self.rows = context.get_metric_group().add_group('kind', 'mean').counter('rows')\n"
                           "        self.scale = float(context.get_job_parameter('scale', '1'))\n"
                           "    def create_accumulator(self):\n"
                           "        return [0.0, 0]\n"
                           "    def accumulate(self, acc, x, label):\n"
                           "        if label == 'bad':\n"
                           "            raise ValueError(label)\n"
                           "        self.rows.inc()\n"
                           "        if x is not None:\n"
                           "            acc[0] += x * self.scale\n"
                           "            acc[1] += 1\n"
                           "    def merge(self, acc, others):\n"
                           "        for other in others:\n"
                           "            acc[0] += other[0]\n"
                           "            acc[1] += other[1]\n"
                           "    def get_value(self, acc):\n"
                           "        return acc[0] / acc[1] if acc[1] else None\n"
                           "    def get_result_type(self):\n"
                           "        return DataTypes.DOUBLE()\n";

static void values_of_slots(void **state)
{
	double xs[] = {1, 2, 3, 0, 5, 100};
	struct slice labels[] = {SLICE_LITERAL("a"), SLICE_LITERAL("a"), SLICE_LITERAL("b"),
	                         SLICE_LITERAL("b"), SLICE_LITERAL("a"), SLICE_LITERAL("bad")};
	struct column x = case_column(TYPE_DOUBLE, xs, 6, "...x.."), label = case_column(TYPE_STRING, labels, 6, NULL),
	              out;
	const struct column *columns[] = {&x, &label};
	struct udf_arguments arguments = {columns, 2, case_rows(), 6};
	const uint32_t slots[] = {0, 0, 1, 2, 70, 0}, asked[] = {0, 1, 2, 70, 3};
	struct pair scale = {"scale", "2"};
	struct function_spec spec = case_function(FUNCTION_AGGREGATE, "m:Mean", mean);
	struct udf_signature signature;
	struct udf_metric metrics[UDF_METRICS_MAX];
	struct udf_worker *worker;

	(void)state;
	spec.parameters = (struct pairs){&scale, 1};
	worker = case_start(&spec, &signature);
	assert_true(signature.mergeable);
	assert_false(signature.vectorized);
	assert_int_equal(signature.arguments_min, 2);
	column_init(&out, TYPE_DOUBLE, 8);
	assert_int_equal(udf_accumulate(worker, 1, slots, &arguments, &case_failures, &case_failure), 0);
	assert_int_equal(case_failures.count, 1);
	assert_int_equal(case_failures.rows[0], 5);
	case_failures.count = 0;
	case_alive(udf_values(worker, 1, asked, 5, &out, &case_failures, &case_failure));
	assert_true(out.doubles[0] == 3);
	assert_true(out.doubles[1] == 6);
	assert_int_equal(out.valid[2], 0);
	assert_true(out.doubles[3] == 10);
	assert_int_equal(out.valid[4], 0); /* of nothing */
	assert_int_equal(udf_metrics(worker, metrics, UDF_METRICS_MAX), 1);
	assert_string_equal(metrics[0].name, "rows");
	assert_true(metrics[0].value == 5);
	assert_int_equal(metrics[0].labels_count, 1);
	assert_string_equal(metrics[0].labels[0].name, "kind");
	assert_string_equal(metrics[0].labels[0].value, "mean");
	case_alive(udf_values(worker, 0, asked, 1, &out, &case_failures, &case_failure)); /* another table */
	assert_int_equal(out.valid[0], 0);
	assert_int_equal(udf_clear(worker, 1, &case_failure), 0);
	case_alive(udf_values(worker, 1, asked, 1, &out, &case_failures, &case_failure));
	assert_int_equal(out.valid[0], 0);
	udf_signature_release(&signature);
	udf_stop(worker, NULL);
	column_release(&x);
	column_release(&label);
	column_release(&out);
}

/* Two lanes: what one saves the other merges, into slots that are there and slots that are not. */
static void save_and_merge(const char *methods)
{
	char code[4096];
	double xs[] = {1, 2, 3};
	struct slice labels[] = {SLICE_LITERAL("a"), SLICE_LITERAL("a"), SLICE_LITERAL("a")};
	struct column x = case_column(TYPE_DOUBLE, xs, 3, NULL), label = case_column(TYPE_STRING, labels, 3, NULL), out;
	const struct column *columns[] = {&x, &label};
	struct udf_arguments arguments = {columns, 2, case_rows(), 3};
	const uint32_t slots[] = {0, 1, 1}, there[] = {0, 5}, only[] = {0};
	struct function_spec spec = case_function(FUNCTION_AGGREGATE, "m:Mean", code);
	struct udf_worker *first, *second;
	struct buffer saved;

	snprintf(code, sizeof(code), "%s%s", mean, methods);
	first = case_start(&spec, NULL);
	second = case_start(&spec, NULL);
	column_init(&out, TYPE_DOUBLE, 8);
	buffer_init(&saved);
	case_alive(udf_accumulate(first, 0, slots, &arguments, &case_failures, &case_failure));
	arguments.n = 1;
	case_alive(udf_accumulate(second, 0, only, &arguments, &case_failures, &case_failure));
	case_alive(udf_save(first, 0, slots, 2, &saved, &case_failures, &case_failure));
	case_alive(udf_merge(second, 0, there, 2, buffer_slice(&saved), &case_failures, &case_failure));
	case_alive(udf_values(second, 0, there, 2, &out, &case_failures, &case_failure));
	assert_true(out.doubles[0] == 1);
	assert_true(out.doubles[1] == 2.5);
	assert_int_equal(udf_merge(second, 0, there, 2, (struct slice){saved.data, saved.size - 1}, &case_failures,
	                           &case_failure),
	                 -1);
	assert_int_equal(case_failure.reason, UDF_PROTOCOL);
	buffer_release(&saved);
	udf_stop(first, NULL);
	udf_stop(second, NULL);
	column_release(&x);
	column_release(&label);
	column_release(&out);
}

static void save_and_merge_by_pickle(void **state)
{
	(void)state;
	save_and_merge("");
}

static void save_and_merge_by_methods(void **state)
{
	(void)state;
	save_and_merge("    def save(self, acc):\n"
	               "        return ('%r;%d' % tuple(acc)).encode()\n"
	               "    def load(self, saved):\n"
	               "        total, count = saved.decode().split(';')\n"
	               "        return [float(total), int(count)]\n");
}

static const char top2[] = "from pyflink.table import TableAggregateFunction, DataTypes, Row\n"
                           "class Top2(TableAggregateFunction):\n"
                           "    def create_accumulator(self):\n"
                           "        return []\n"
                           "    def accumulate(self, acc, x):\n"
                           "        acc[:] = sorted(acc + [x], reverse=True)[:2]\n"
                           "    def emit_value(self, acc):\n"
                           "        for rank, value in enumerate(acc, 1):\n"
                           "            if value == 99:\n"
                           "                raise RuntimeError('99')\n"
                           "            yield Row(value, rank)\n"
                           "    def get_result_type(self):\n"
                           "        return DataTypes.ROW([DataTypes.FIELD('value', DataTypes.BIGINT()),\n"
                           "                              DataTypes.FIELD('rank', DataTypes.INT())])\n";

static void emitted_rows(void **state)
{
	int64_t xs[] = {5, 9, 7, 4, 99, 98};
	struct column x = case_column(TYPE_BIGINT, xs, 6, NULL);
	const struct column *columns[] = {&x};
	struct udf_arguments arguments = {columns, 1, case_rows(), 6};
	const uint32_t slots[] = {0, 0, 0, 1, 2, 2}, asked[] = {1, 2, 3, 0};
	struct function_spec spec = case_function(FUNCTION_TABLE_AGGREGATE, "m:Top2", top2);
	struct udf_signature signature;
	struct udf_worker *worker = case_start(&spec, &signature);
	struct udf_rows rows;

	(void)state;
	assert_int_equal(signature.results.count, 2);
	assert_string_equal(signature.results.columns[1].name, "rank");
	case_alive(udf_accumulate(worker, 3, slots, &arguments, &case_failures, &case_failure));
	assert_int_equal(udf_emit(worker, 3, asked, 4, &rows, &case_failures, &case_failure), 0);
	assert_int_equal(case_failures.count, 1);
	assert_int_equal(case_failures.rows[0], 1);
	assert_int_equal(rows.count, 3);
	assert_int_equal(rows.parents[0], 0);
	assert_int_equal(rows.columns[0].bigints[0], 4);
	assert_int_equal(rows.parents[2], 3);
	assert_int_equal(rows.columns[0].bigints[1], 9);
	assert_int_equal(rows.columns[1].ints[2], 2);
	udf_signature_release(&signature);
	udf_stop(worker, NULL);
	column_release(&x);
}

static const char columns_code[] = "from streamjob import AggregateFunction, DataTypes, udaf, udf\n"
                                   "class Total(AggregateFunction):\n"
                                   "    def create_accumulator(self):\n"
                                   "        return [0, 0, []]\n"
                                   "    def accumulate(self, acc, x, keep):\n"
                                   "        acc[0] += sum(v for v in x if v is not None)\n"
                                   "        acc[1] += 1\n"
                                   "        if any(keep):\n"
                                   "            acc[2].append(keep)\n"
                                   "    def get_value(self, acc):\n"
                                   "        return acc[0] * 1000 + acc[1]\n"
                                   "total = udaf(Total(), result_type=DataTypes.BIGINT(), func_type='pandas',\n"
                                   "             columns='memoryview')\n"
                                   "@udf(result_type=DataTypes.BIGINT(), func_type='pandas', columns='memoryview')\n"
                                   "def twice(x, keep):\n"
                                   "    return [None if v is None else 2 * v for v in x]\n";

static void whole_columns_by_group(void **state)
{
	int64_t xs[] = {1, 2, 3, 4, 5};
	uint8_t keeps[] = {0, 0, 0, 0, 1};
	struct column x = case_column(TYPE_BIGINT, xs, 5, ".x..."), keep = case_column(TYPE_BOOLEAN, keeps, 5, NULL),
	              out;
	const struct column *columns[] = {&x, &keep};
	struct udf_arguments arguments = {columns, 2, case_rows(), 4};
	const uint32_t slots[] = {70001, 256, 70001, 256, 256}, asked[] = {256, 70001};
	struct function_spec spec = case_function(FUNCTION_AGGREGATE, "m:total", columns_code);
	struct udf_signature signature;
	struct udf_worker *worker = case_start(&spec, &signature);

	(void)state;
	assert_true(signature.vectorized);
	column_init(&out, TYPE_BIGINT, 8);
	case_alive(udf_accumulate(worker, 0, slots, &arguments, &case_failures, &case_failure));
	case_alive(udf_values(worker, 0, asked, 2, &out, &case_failures, &case_failure));
	assert_int_equal(out.bigints[0], 4001); /* one call for the rows of a group */
	assert_int_equal(out.bigints[1], 4001);
	arguments.rows = case_rows() + 4;
	arguments.n = 1;
	assert_int_equal(udf_accumulate(worker, 0, slots, &arguments, &case_failures, &case_failure), 0);
	assert_int_equal(case_failures.count, 1); /* it holds on to a view */
	assert_int_equal(case_failures.rows[0], 4);
	assert_non_null(strstr(case_failures.reasons[0], "keep a copy"));
	udf_signature_release(&signature);
	udf_stop(worker, NULL);
	column_release(&x);
	column_release(&keep);
	column_release(&out);
}

static void whole_columns_of_a_scalar(void **state)
{
	int64_t xs[] = {1, 2, 3};
	uint8_t keeps[] = {0, 0, 0};
	struct column x = case_column(TYPE_BIGINT, xs, 3, ".x."), keep = case_column(TYPE_BOOLEAN, keeps, 3, NULL), out;
	const struct column *columns[] = {&x, &keep};
	struct udf_arguments arguments = {columns, 2, case_rows(), 3};
	struct function_spec spec = case_function(FUNCTION_SCALAR, "m:twice", columns_code);
	struct udf_worker *worker = case_start(&spec, NULL);

	(void)state;
	column_init(&out, TYPE_BIGINT, 4);
	case_alive(udf_eval(worker, &arguments, &out, &case_failures, &case_failure));
	assert_int_equal(out.bigints[0], 2);
	assert_int_equal(out.valid[1], 0);
	assert_int_equal(out.bigints[2], 6);
	udf_stop(worker, NULL);
	column_release(&x);
	column_release(&keep);
	column_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(values_of_slots),           cmocka_unit_test(save_and_merge_by_pickle),
	        cmocka_unit_test(save_and_merge_by_methods), cmocka_unit_test(emitted_rows),
	        cmocka_unit_test(whole_columns_by_group),    cmocka_unit_test(whole_columns_of_a_scalar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
