/* What a compiled query reads and yields, and its plan. */
#include "lib/spec/query/query.h"
#include "tests/unit/lib/spec/full_jobs.h"
#include "tests/unit/lib/spec/job_case.h"

static struct query *compile(const struct jobspec *job, const char *clock)
{
	struct error err = {.text = ""};
	struct query *query = query_compile(job, clock, NULL, &err);

	assert_string_equal(err.text, "");
	assert_non_null(query);
	return query;
}

/* The plan has these lines, in this order. */
static void expect_plan(const struct jobspec *job, const struct query *query, const char *const *lines, size_t count)
{
	struct buffer out;
	const char *at;

	buffer_init(&out);
	query_explain(job, query, &out);
	at = buffer_slice(&out).data;
	for (size_t i = 0; i < count; i++) {
		const char *found = at ? strstr(at, lines[i]) : NULL;

		if (!found)
			fail_msg("no line, or not in its order: %s\n%s", lines[i], out.data);
		at = found + strlen(lines[i]);
	}
	buffer_release(&out);
}

#define WIDE                                                                                                           \
	"apiVersion: streamjob.dev/v1alpha1\n"                                                                         \
	"kind: StreamJob\n"                                                                                            \
	"metadata: {name: j}\n"                                                                                        \
	"spec:\n"                                                                                                      \
	"  source: {kafka: {bootstrapServers: k, topic: t}}\n"                                                         \
	"  columns: [{name: a, type: STRING}, {name: b, type: BIGINT}, {name: c, type: DOUBLE},\n"                     \
	"            {name: d, type: BOOLEAN}, {name: t, type: TIMESTAMP}]\n"                                          \
	"  window: {tumbling: {size: 1m}}\n"                                                                           \
	"  sinks: [{stdout: {}}]\n"

static void reads_test(void **state)
{
	static const struct {
		const char *name, *rest, *clock, *reads;
	} rows[] = {
	        {"nothing", "  aggregates: [{name: k, expr: COUNT(*)}]\n", NULL, ""},
	        {"a key", "  groupBy: [a]\n  aggregates: [{name: k, expr: COUNT(*)}]\n", NULL, "a "},
	        {"the filter", "  filter: d\n  aggregates: [{name: k, expr: COUNT(*)}]\n", NULL, "d "},
	        {"an argument", "  aggregates: [{name: k, expr: SUM(b)}]\n", NULL, "b "},
	        {"an aggregate's filter", "  aggregates: [{name: k, expr: SUM(b) FILTER (WHERE c > 1)}]\n", NULL,
	         "b c "},
	        {"the clock", "  aggregates: [{name: k, expr: COUNT(*)}]\n", "t", "t "},
	        {"a select that is used",
	         "  select: [{name: s, expr: b + 1}]\n  aggregates: [{name: k, expr: SUM(s)}]\n", NULL, "b s "},
	        {"a select that is a key",
	         "  select: [{name: s, expr: a || 'x'}]\n  groupBy: [s]\n  aggregates: [{name: k, expr: COUNT(*)}]\n",
	         NULL, "a s "},
	        {"a select that nobody uses",
	         "  select: [{name: s, expr: b + 1}]\n  aggregates: [{name: k, expr: COUNT(*)}]\n", NULL, ""},
	        {"Kafka's own", "  groupBy: [kafka_partition]\n  aggregates: [{name: k, expr: MAX(kafka_offset)}]\n",
	         NULL, "kafka_partition kafka_offset "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer text, reads;
		struct jobspecs jobs;
		struct query *query;

		buffer_init(&text);
		buffer_init(&reads);
		buffer_printf(&text, WIDE "%s", rows[i].rest);
		jobs = good_jobs(rows[i].name, slice_of(text.data));
		query = compile(jobs.items[0], rows[i].clock);
		buffer_append_text(&reads, "");
		for (size_t c = 0; c < query->row.count; c++)
			if (query->read[c])
				buffer_printf(&reads, "%s ", query->row.columns[c].name);
		if (strcmp(reads.data, rows[i].reads) != 0)
			fail_msg("%s: reads %s, expected %s", rows[i].name, reads.data, rows[i].reads);
		query_free(query);
		jobspecs_release(&jobs);
		buffer_release(&text);
		buffer_release(&reads);
	}
}

static void shape_test(void **state)
{
	struct jobspecs jobs = good_jobs("full", slice_of(full_kafka));
	struct query *query = compile(jobs.items[0], NULL);

	(void)state;
	assert_int_equal(query->declared_count, 3);
	assert_int_equal(query->source_count, 5);
	assert_int_equal(query->row.count, 9);
	assert_string_equal(query->row.columns[8].name, "s");
	assert_int_equal(query->row.columns[8].type, TYPE_STRING);
	assert_int_equal(query->keys_count, 2);
	assert_int_equal(query->key_columns[0], 8);
	assert_int_equal(query->key_columns[1], 2);
	assert_int_equal(query->result.count, 4);
	assert_string_equal(query->result.columns[0].name, "s");
	assert_int_equal(query->result.columns[1].type, TYPE_BOOLEAN);
	assert_string_equal(query->result.columns[2].name, "c");
	assert_int_equal(query->result.columns[2].type, TYPE_BIGINT);
	assert_int_equal(query->result.columns[3].type, TYPE_STRING);
	assert_non_null(query->filter);
	assert_non_null(query->having);
	query_free(query);
	jobspecs_release(&jobs);
	query_free(NULL);
}

static void functions_test(void **state)
{
	static const char *const lines[] = {
	        "lateral    left join tag STRING, pos INT = split(a)\n",
	        "group by   tag STRING\n",
	        "aggregate  s DOUBLE = score(w, num) FILTER (WHERE num > 0) / COUNT(*)\n",
	        "             of score(w, num) FILTER (WHERE num > 0) DOUBLE\n",
	        "aggregate  value DOUBLE, rank BIGINT = top2(num)   (0 to n rows a group)\n",
	        "function   weigh, native scalar weigh.so:weigh, 50ms a batch, 32Mi a lane, in the runtime's process; ",
	        "a row with an exception counts as NULL, one that kills it is left out\n",
	        "function   split, python table tags:Split, 2s a batch, 256Mi a lane; ",
	        "a row with an exception goes to the dead letter, one that kills it goes to the dead letter\n",
	};
	struct jobspecs jobs = good_jobs("functions", slice_of(full_functions));
	struct query *query = compile(jobs.items[0], NULL);

	(void)state;
	assert_int_equal(query->row.count, 5);
	assert_int_equal(query->lateral_count, 1);
	assert_int_equal(query->lateral_first, 3);
	assert_int_equal(query->lateral[0].first_column, 3);
	assert_int_equal(query->lateral[0].call->function, 1);
	assert_int_equal(query->lateral[0].call->arguments_count, 1);
	assert_int_equal(query->row.columns[4].type, TYPE_INT);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(query->read[i], i != 4); /* nothing reads pos */
	assert_int_equal(query->aggregates[0]->calls_count, 2);
	assert_int_equal(query->aggregates[0]->calls[0].kind, AGGREGATE_USER);
	assert_int_equal(query->aggregates[0]->calls[0].user->function, 2);
	assert_int_equal(query->aggregates[0]->calls[0].user->arguments_count, 2);
	assert_non_null(query->aggregates[0]->calls[0].filter);
	assert_true(query->aggregates[1]->table);
	assert_null(query->aggregates[1]->output);
	assert_int_equal(query->result.count, 4);
	assert_int_equal(query->aggregate_columns[1], 2);
	assert_string_equal(query->result.columns[3].name, "rank");
	assert_int_equal(query->result.columns[3].type, TYPE_BIGINT);
	expect_plan(jobs.items[0], query, lines, sizeof(lines) / sizeof(lines[0]));
	query_free(query);
	jobspecs_release(&jobs);
}

static void explain_test(void **state)
{
	static const char *const lines[] = {
	        "job        reco/full, spec ",
	        "source     kafka topic events at k1:9092,k2:9092, group mine, from earliest when the group has no "
	        "offsets\n",
	        "reads      a STRING at $['odd name'], b BOOLEAN at $.b\n",
	        "not read   t\n",
	        "filter     a = 'x'\n",
	        "select     s STRING = a || 'y'\n",
	        "window     tumbling 1h, offset 15m, processing time; when empty: the Pushgateway group is deleted\n",
	        "group by   s STRING, b BOOLEAN\n",
	        "aggregate  c BIGINT = COUNT(*)\n",
	        "having     c > 1\n",
	        "limits     7 groups, 3Mi of state; then rows of groups beyond that are dropped and counted\n",
	        "sink       pushgateway https://g:9091/prefix, job gj: one PUT a window\n",
	        "             counter m_total = c\n",
	        "sink       kafka topic out at o:9092: one transaction a window\n",
	        "sink       file out.jsonl\n",
	        "sink       standard output, table\n",
	        "dead       kafka topic dead at d:9092\n",
	        "commits    1. before any sink: the window's end offsets, as metadata of group mine\n"
	        "           2. after every sink has accepted the window: the offsets themselves\n",
	};
	struct jobspecs jobs = good_jobs("full", slice_of(full_kafka));
	struct query *query = compile(jobs.items[0], NULL);

	(void)state;
	expect_plan(jobs.items[0], query, lines, sizeof(lines) / sizeof(lines[0]));
	query_free(query);
	jobspecs_release(&jobs);
}

static void explain_sources_test(void **state)
{
	static const struct {
		const char *text, *line;
	} rows[] = {
	        {full_datagen, "source     datagen, seed 99, 2.5 rows/s, 40 rows\n"},
	        {full_datagen, "reads      no column\nnot read   q, c, u, g, l, w\n"},
	        {full_datagen, "group by   nothing: one group of all rows\n"},
	        {full_datagen,
	         "dead       file dead.jsonl\ncommits    nothing: this source begins anew at each start\n"},
	        {full_file, "source     file in/put.jsonl, once\n"},
	        {full_stdin, "source     standard input\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct jobspecs jobs = good_jobs(rows[i].line, slice_of(rows[i].text));
		struct query *query = compile(jobs.items[0], NULL);
		struct buffer out;

		buffer_init(&out);
		query_explain(jobs.items[0], query, &out);
		if (!strstr(out.data, rows[i].line))
			fail_msg("no line %s in\n%s", rows[i].line, out.data);
		buffer_release(&out);
		query_free(query);
		jobspecs_release(&jobs);
	}
}

/* What a function's code turns out to yield may not fit the job: every problem of it comes back as one error. */
static void problems_test(void **state)
{
	struct jobspecs jobs = good_jobs(
	        "spoilt", slice_of(WIDE "  aggregates: [{name: k, expr: SUM(b)}, {name: l, expr: MIN(c)}]\n"));
	struct jobspec job = *jobs.items[0];
	struct named_expr select = {.name = "s", .expr = "b + true"};
	struct error err = {.text = ""};

	(void)state;
	job.select = &select;
	job.select_count = 1;
	job.filter = "nobody > 1";
	assert_null(query_compile(&job, NULL, NULL, &err));
	assert_non_null(strstr(err.text, "spec.filter"));
	assert_non_null(strstr(err.text, "\nspec.select[0].expr"));
	assert_int_not_equal(err.text[strlen(err.text) - 1], '\n');
	jobspecs_release(&jobs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(reads_test),           cmocka_unit_test(shape_test),
	                                   cmocka_unit_test(functions_test),       cmocka_unit_test(explain_test),
	                                   cmocka_unit_test(explain_sources_test), cmocka_unit_test(problems_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
