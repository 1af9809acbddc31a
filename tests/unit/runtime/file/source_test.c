/* Lines of a pipe become records with the byte where they begin; the generator's rows follow from its seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "runtime/file/file.h"
#include "tests/unit/lib/jobspec/job_case.h"

static struct record_batch records;

/* All records of `source` as "offset:text\n", until it ends; free(). */
static char *take_all(struct source *source, const char *name)
{
	struct buffer found;
	struct error err;
	unsigned lanes = 8;
	enum take took;

	buffer_init(&found);
	if (source->ops->open(source, &lanes, NULL, &err) < 0)
		fail_msg("%s: %s", name, err.text);
	assert_int_equal(lanes, 1);
	assert_int_equal(source->partitions, 1);
	assert_false(source->resumable);
	while ((took = source->ops->take(source, 0, &records, 1000, &err)) != TAKE_END) {
		if (took == TAKE_FAILED)
			fail_msg("%s: %s", name, err.text);
		for (size_t i = 0; i < records.count; i++)
			buffer_printf(&found, "%lld:%.*s\n", (long long)records.records[i].offset,
			              SLICE_ARG(records.records[i].value));
	}
	source->ops->close(source);
	buffer_append_text(&found, "");
	return buffer_take(&found);
}

static void lines_test(void **state)
{
	static const struct {
		const char *name, *text, *expected;
	} rows[] = {
	        {"nothing", "", ""},
	        {"one line", "a\n", "0:a\n"},
	        {"the last one has no end", "a\nbc", "0:a\n2:bc\n"},
	        {"empty lines are no records", "\n\na\n\n\nb\n", "2:a\n6:b\n"},
	        {"CR LF", "a\r\n\r\nb\r\n", "0:a\n5:b\n"},
	        {"a CR within", "a\rb\n", "0:a\rb\n"},
	        {"spaces are not empty", " \n", "0: \n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char path[] = "/tmp/streamjob-source-XXXXXX", *found;
		int fd = mkstemp(path);

		assert_int_equal(write(fd, rows[i].text, strlen(rows[i].text)), strlen(rows[i].text));
		close(fd);
		found = take_all(file_source_new(path), rows[i].name);
		if (strcmp(found, rows[i].expected) != 0)
			fail_msg("%s: %s, expected %s", rows[i].name, found, rows[i].expected);
		free(found);
		unlink(path);
	}
}

/* Lines of every length around the read buffer's, and one that is longer than a record may be. */
static void long_lines_test(void **state)
{
	char path[] = "/tmp/streamjob-source-XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w");
	struct source *source = file_source_new(path);
	size_t sizes[] = {1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3, 5 << 20, RECORD_BYTES_MAX - 1};
	size_t count = sizeof(sizes) / sizeof(sizes[0]), seen = 0, offset = 0;
	unsigned lanes = 1;
	struct error err;
	enum take took;

	(void)state;
	for (size_t i = 0; i <= count; i++) {
		for (size_t n = i < count ? sizes[i] : RECORD_BYTES_MAX + 1; n; n--)
			putc('a' + (int)i, file);
		putc('\n', file);
	}
	fclose(file);
	assert_int_equal(source->ops->open(source, &lanes, NULL, &err), 0);
	while ((took = source->ops->take(source, 0, &records, 1000, &err)) == TAKE_RECORDS) {
		for (size_t i = 0; i < records.count; i++, seen++) {
			assert_int_equal(records.records[i].value.size, sizes[seen]);
			assert_int_equal(records.records[i].offset, offset);
			assert_int_equal(records.records[i].value.data[sizes[seen] - 1], 'a' + (int)seen);
			offset += sizes[seen] + 1;
		}
	}
	assert_int_equal(seen, count);
	assert_int_equal(took, TAKE_FAILED);
	assert_non_null(strstr(err.text, "is longer than 16777216 bytes; split it"));
	source->ops->close(source);
	unlink(path);
}

/* A pipe that says nothing is no end. */
static void pipe_test(void **state)
{
	struct source *source;
	unsigned lanes = 1;
	char path[32];
	struct error err;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	source = file_source_new(path);
	assert_int_equal(source->ops->open(source, &lanes, NULL, &err), 0);
	assert_int_equal(source->ops->take(source, 0, &records, 10, &err), TAKE_NOTHING);
	assert_int_equal(write(ends[1], "a\nb", 3), 3);
	assert_int_equal(source->ops->take(source, 0, &records, 1000, &err), TAKE_RECORDS);
	assert_int_equal(records.count, 1);
	assert_int_equal(source->ops->take(source, 0, &records, 10, &err), TAKE_NOTHING);
	close(ends[1]);
	assert_int_equal(source->ops->take(source, 0, &records, 1000, &err), TAKE_RECORDS);
	assert_true(slice_equal(records.records[0].value, SLICE_LITERAL("b")));
	assert_int_equal(source->ops->take(source, 0, &records, 1000, &err), TAKE_END);
	source->ops->close(source);
	close(ends[0]);
}

static int64_t fixed_ms(void *context)
{
	(void)context;
	return 1700000000123;
}

static const struct clock fixed = {fixed_ms, fixed_ms, NULL, NULL};

static char *generate(int seed)
{
	struct jobspecs jobs;
	struct buffer text;
	char *found;

	buffer_init(&text);
	buffer_printf(
	        &text,
	        "apiVersion: streamjob.dev/v1alpha1\nkind: StreamJob\nmetadata: {name: j}\nspec:\n"
	        "  source: {datagen: {rows: 1500, rowsPerSecond: 0, seed: %d, columns: {\n"
	        "    q: {sequence: {start: 5, end: 8}}, c: {choice: {values: [a, \"b\\\"\"], weights: [1, 3]}},\n"
	        "    u: {uniform: {min: -1, max: 1}}, g: {normal: {mean: 3, stddev: 2}}, w: {now: {}},\n"
	        "    z: {uniform: {min: 0, max: 9}, nullProbability: 0.5}}}}\n"
	        "  columns: [{name: q, type: BIGINT}, {name: c, type: STRING, path: $.o.c}, {name: u, type: DOUBLE},\n"
	        "    {name: g, type: DOUBLE, path: \"$.l[1]\"}, {name: w, type: TIMESTAMP, format: epochMillis},\n"
	        "    {name: z, type: INT}]\n"
	        "  window: {tumbling: {size: 1s}}\n  aggregates: [{name: k, expr: COUNT(*)}]\n"
	        "  sinks: [{stdout: {}}]\n",
	        seed);
	jobs = good_jobs("datagen", buffer_slice(&text));
	found = take_all(datagen_source_new(jobs.items[0], &fixed), "datagen");
	jobspecs_release(&jobs);
	buffer_release(&text);
	return found;
}

static void datagen_test(void **state)
{
	char *one = generate(7), *again = generate(7), *other = generate(8);
	size_t lines = 0;

	(void)state;
	assert_string_equal(one, again);
	assert_string_not_equal(one, other);
	for (const char *p = one; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 1500);
	assert_memory_equal(one, "0:{\"q\":5,\"o\":{\"c\":\"", 19);
	assert_non_null(strstr(one, "\n2:{\"q\":7,"));
	assert_non_null(strstr(one, "\n3:{\"q\":5,")); /* around again */
	assert_non_null(strstr(one, "\"l\":[null,"));
	assert_non_null(strstr(one, "\"w\":1700000000123,\"z\":null}\n"));
	assert_non_null(strstr(one, "{\"c\":\"b\\\"\"}"));
	free(one);
	free(again);
	free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lines_test), cmocka_unit_test(long_lines_test),
	                                   cmocka_unit_test(pipe_test), cmocka_unit_test(datagen_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
