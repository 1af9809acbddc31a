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
#include "tests/unit/lib/spec/job_case.h"

#define RECORD_BYTES (16 << 20) /* limits.recordBytes by default */

static struct record_batch records;

/* "offset:text\n"; of an array's element with its number, of one that is wrong with the first words why. */
static void add_record(struct buffer *out, const struct record *record)
{
	buffer_printf(out, "%lld:%.*s", (long long)record->offset, SLICE_ARG(record->value));
	if (record->element)
		buffer_printf(out, " #%u", record->element);
	if (record->wrong)
		buffer_printf(out, "!%.*s", (int)strcspn(record->wrong, ",:;"), record->wrong);
	buffer_append_char(out, '\n');
}

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
			add_record(&found, &records.records[i]);
	}
	source->ops->close(source);
	buffer_append_text(&found, "");
	return buffer_take(&found);
}

/* Of a pipe with that text, until the next is asked for. */
static struct source *source_of(const char *text, size_t size, int64_t record_bytes)
{
	static char path[32];
	static int ends[2] = {-1, -1};

	close(ends[0]);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], text, size), size);
	close(ends[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	return file_source_new(path, record_bytes);
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
	        {"a byte order mark is passed over",
	         "\xef\xbb\xbf"
	         "a\nb\n",
	         "3:a\n5:b\n"},
	        {"a byte order mark and an empty line", "\xef\xbb\xbf\r\na\n", "5:a\n"},
	        {"a byte order mark alone", "\xef\xbb\xbf", ""},
	        {"half of one", "\xef\xbb", "0:\xef\xbb\n"},
	        {"one on the second line is the line's",
	         "a\n\xef\xbb\xbf"
	         "b\n",
	         "0:a\n2:\xef\xbb\xbf"
	         "b\n"},
	        {"two of them",
	         "\xef\xbb\xbf\xef\xbb\xbf"
	         "a\n",
	         "3:\xef\xbb\xbf"
	         "a\n"},
	        {"an array", "[{\"a\":1},{\"b\":2}]\n", "1:{\"a\":1} #1\n9:{\"b\":2} #2\n"},
	        {"an array behind a byte order mark", "\xef\xbb\xbf[{}]", "4:{} #1\n"},
	        {"an array over lines", "\n [\n  {\n  },\r\n  [1,2] ,\n 3\n]\n\n",
	         "6:{\n  } #1\n16:[1,2] #2\n25:3 #3\n"},
	        {"an empty array", "[ ]", ""},
	        {"an array of nothing but commas", "[,]", "1: #1\n2: #2\n"},
	        {"brackets, commas and quotes in texts", "[\"],[\\\"\",{\"a]\":\"}\"}]",
	         "1:\"],[\\\"\" #1\n9:{\"a]\":\"}\"} #2\n"},
	        {"a bad element is one", "[{\"a\":x},{\"b\" 2},{}]", "1:{\"a\":x} #1\n9:{\"b\" 2} #2\n17:{} #3\n"},
	        {"two arrays", "[1]\n[2,3]", "1:1 #1\n5:2 #1\n7:3 #2\n"},
	        {"lines behind an array", "[1]\na\n[2]\n", "1:1 #1\n4:a\n6:[2]\n"},
	        {"an array that is cut off", "[1,{\"a\":", "1:1 #1\n3:{\"a\": #2!the input ends within an array\n"},
	        {"an array that is cut off behind an element", "[1,{}\n",
	         "1:1 #1\n3:{}\n #2\n6: #3!the input ends within an array\n"},
	        {"an array that is cut off behind a comma", "[1, ", "1:1 #1\n4: #2!the input ends within an array\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *found = take_all(source_of(rows[i].text, strlen(rows[i].text), RECORD_BYTES), rows[i].name);

		if (strcmp(found, rows[i].expected) != 0)
			fail_msg("%s: %s, expected %s", rows[i].name, found, rows[i].expected);
		free(found);
	}
}

/* Lines of every length around the read buffer's and around what a record may have. */
static void long_lines_test(void **state)
{
	char path[] = "/tmp/streamjob-source-XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w");
	struct source *source = file_source_new(path, RECORD_BYTES);
	size_t sizes[] = {1, (1 << 20) - 1,    1 << 20, (1 << 20) + 1,   3, 5 << 20, RECORD_BYTES, RECORD_BYTES + 1,
	                  7, 2 * RECORD_BYTES, 1,       5 * RECORD_BYTES};
	size_t count = sizeof(sizes) / sizeof(sizes[0]), seen = 0, offset = 0;
	unsigned lanes = 1;
	struct error err;
	enum take took;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		for (size_t n = sizes[i]; n; n--)
			putc('a' + (int)i, file);
		putc('\n', file);
	}
	fclose(file);
	assert_int_equal(source->ops->open(source, &lanes, NULL, &err), 0);
	while ((took = source->ops->take(source, 0, &records, 1000, &err)) == TAKE_RECORDS) {
		for (size_t i = 0; i < records.count; i++, seen++) {
			bool too_long = sizes[seen] > RECORD_BYTES;
			size_t size = too_long ? RECORD_BYTES : sizes[seen];

			assert_int_equal(records.records[i].value.size, size);
			assert_int_equal(records.records[i].offset, offset);
			assert_int_equal(records.records[i].line, seen + 1);
			assert_int_equal(records.records[i].value.data[size - 1], 'a' + (int)seen);
			assert_int_equal(records.records[i].wrong != NULL, too_long);
			if (too_long)
				assert_string_equal(records.records[i].wrong,
				                    "longer than 16Mi, which limits.recordBytes allows; what follows "
				                    "these bytes is left out");
			offset += sizes[seen] + 1;
		}
	}
	assert_int_equal(seen, count);
	assert_int_equal(took, TAKE_END);
	source->ops->close(source);
	unlink(path);
}

/* In a small limit: the rest of a long line, and of a long element, is passed over; texts end at a character. */
static void small_limit_test(void **state)
{
	static const struct {
		const char *name, *text, *expected;
	} rows[] = {
	        {"a line of the limit", "01234567\n9\n", "0:01234567\n9:9\n"},
	        {"with CR LF", "01234567\r\n9\n", "0:01234567\n10:9\n"},
	        {"one byte more", "012345678\n9\n", "0:01234567!longer than 8\n10:9\n"},
	        {"the last one", "a\n0123456789", "0:a\n2:01234567!longer than 8\n"},
	        {"a character at the limit", "0123456\xc3\xa4\nb\n", "0:0123456!longer than 8\n10:b\n"},
	        {"four bytes at the limit", "01234\xf0\x9f\x98\x80\n", "0:01234!longer than 8\n"},
	        {"bytes that are no text", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\n",
	         "0:\x80\x80\x80\x80\x80\x80\x80\x80!longer than 8\n"},
	        {"an element", "[0123456789,\n2]", "1:01234567 #1!longer than 8\n13:2 #2\n"},
	        {"an element with brackets behind the limit", "[[1,2,3,4,[5],\"]\",6],\n{}]",
	         "1:[1,2,3,4 #1!longer than 8\n22:{} #2\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *found = take_all(source_of(rows[i].text, strlen(rows[i].text), 8), rows[i].name);

		if (strcmp(found, rows[i].expected) != 0)
			fail_msg("%s: %s, expected %s", rows[i].name, found, rows[i].expected);
		free(found);
	}
}

/* A file that is no UTF-8 says which it is. */
static void other_encodings_test(void **state)
{
	static const struct {
		const char *name;
		struct slice text;
	} rows[] = {
	        {"UTF-16", SLICE_LITERAL("\xff\xfe{\0}\0")},
	        {"UTF-16", SLICE_LITERAL("\xfe\xff\0{\0}")},
	        {"UTF-16", SLICE_LITERAL("\xff\xfe")},
	        {"UTF-32", SLICE_LITERAL("\xff\xfe\0\0{\0\0\0")},
	        {"UTF-32", SLICE_LITERAL("\0\0\xfe\xff\0\0\0{")},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct source *source = source_of(rows[i].text.data, rows[i].text.size, RECORD_BYTES);
		unsigned lanes = 1;
		char expected[128];
		struct error err;

		assert_int_equal(source->ops->open(source, &lanes, NULL, &err), 0);
		assert_int_equal(source->ops->take(source, 0, &records, 1000, &err), TAKE_FAILED);
		snprintf(expected, sizeof(expected),
		         "begins with the byte order mark of %s, but JSON is read as UTF-8; convert it: iconv -f %s -t "
		         "UTF-8",
		         rows[i].name, rows[i].name);
		if (!strstr(err.text, expected))
			fail_msg("row %zu: %s", i, err.text);
		source->ops->close(source);
	}
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
	source = file_source_new(path, RECORD_BYTES);
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
	const struct CMUnitTest tests[] = {cmocka_unit_test(lines_test),       cmocka_unit_test(long_lines_test),
	                                   cmocka_unit_test(small_limit_test), cmocka_unit_test(other_encodings_test),
	                                   cmocka_unit_test(pipe_test),        cmocka_unit_test(datagen_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
