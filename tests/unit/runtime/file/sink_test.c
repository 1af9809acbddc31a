/* The file sink in a folder of its own: a window that is written again replaces itself, whatever came in between. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "runtime/file/file.h"

static char folder[64], path[96], side[128];

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/streamjob-sink-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/out.jsonl", folder);
	snprintf(side, sizeof(side), "%s.streamjob", path);
	return 0;
}

static int delete_one(const char *name, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(name);
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(folder, delete_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void expect_file(const char *name, const char *expected)
{
	char found[4096] = "";
	FILE *file = fopen(name, "r");

	assert_non_null(file);
	found[fread(found, 1, sizeof(found) - 1, file)] = '\0';
	fclose(file);
	if (strcmp(found, expected) != 0)
		fail_msg("%s has\n%s\nexpected\n%s", name, found, expected);
}

static const struct schema_column columns[] = {{"n", TYPE_BIGINT}};
static const struct schema schema = {columns, 1};

#define ROW(n)                                                                                                         \
	"{\"window_start\":\"1970-01-01T00:00:00.000Z\",\"window_end\":\"1970-01-01T00:00:01.000Z\",\"n\":" #n "}\n"

/* A window of rows n, n + 1, … */
static enum sink_outcome write_window(struct sink *sink, uint64_t sequence, int64_t n, size_t rows, struct error *err)
{
	struct window_result result = {.end_ms = 1000, .sequence = sequence, .schema = &schema};
	enum sink_outcome outcome;

	batch_init(&result.rows, &schema, NULL, rows + 1);
	result.rows.rows = rows;
	for (size_t i = 0; i < rows; i++)
		column_set(&result.rows.columns[0], i, (struct value){.type = TYPE_BIGINT, .bigint = n + (int64_t)i});
	outcome = sink->ops->write(sink, &result, NULL, err);
	batch_release(&result.rows);
	return outcome;
}

static struct sink *open_sink(uint64_t next_sequence, bool resumable)
{
	struct sink *sink = file_sink_new(path);
	struct error err;

	if (sink->ops->open(sink,
	                    &(struct sink_start){.life = "1", .next_sequence = next_sequence, .resumable = resumable},
	                    NULL, &err) < 0)
		fail_msg("%s", err.text);
	return sink;
}

static void again_test(void **state)
{
	struct sink *sink = open_sink(1, true);
	struct error err;

	(void)state;
	assert_int_equal(write_window(sink, 1, 1, 2, &err), SINK_ACCEPTED);
	assert_int_equal(write_window(sink, 2, 3, 1, &err), SINK_ACCEPTED);
	expect_file(path, ROW(1) ROW(2) ROW(3));
	assert_int_equal(write_window(sink, 2, 4, 2, &err), SINK_ACCEPTED);
	expect_file(path, ROW(1) ROW(2) ROW(4) ROW(5));
	assert_int_equal(write_window(sink, 2, 4, 0, &err), SINK_ACCEPTED);
	expect_file(path, ROW(1) ROW(2));
	sink->ops->close(sink);
	/* The next run writes window 2 once more. */
	sink = open_sink(2, true);
	assert_int_equal(write_window(sink, 2, 6, 1, &err), SINK_ACCEPTED);
	assert_int_equal(write_window(sink, 3, 7, 1, &err), SINK_ACCEPTED);
	expect_file(path, ROW(1) ROW(2) ROW(6) ROW(7));
	sink->ops->close(sink);
}

/* What a crash leaves: half a row, or nothing of the window, or only the new name of the side file. */
static void crash_test(void **state)
{
	static const struct {
		const char *name, *file, *side;
	} rows[] = {
	        {"before the window", ROW(1), "{\"sequence\": 1, \"begin\": 0}\n"},
	        {"after the side file", ROW(1), "{\"sequence\": 2, \"begin\": 90}\n"},
	        {"within a row", ROW(1) "{\"window_st", "{\"sequence\": 2, \"begin\": 90}\n"},
	        {"after the window", ROW(1) ROW(9), "{\"sequence\": 2, \"begin\": 90}\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err;
		struct sink *sink;

		write_file(path, rows[i].file);
		write_file(side, rows[i].side);
		sink = open_sink(2, true);
		if (write_window(sink, 2, 2, 1, &err) != SINK_ACCEPTED)
			fail_msg("%s: %s", rows[i].name, err.text);
		sink->ops->close(sink);
		expect_file(path, ROW(1) ROW(2));
		expect_file(side, "{\"sequence\": 2, \"begin\": 90}\n");
	}
}

static void refusals_test(void **state)
{
	static const struct {
		const char *name, *file, *side, *said;
	} rows[] = {
	        {"a file of somebody else", "precious\n", NULL, "it was not written by this job"},
	        {"a side file of somebody else", "", "precious\n", "is not this sink's side file"},
	        {"windows that are to come yet", ROW(1), "{\"sequence\": 6, \"begin\": 0}\n",
	         "has windows up to 6, and the job goes on with window 5"},
	        {"a file that was cut", "", "{\"sequence\": 4, \"begin\": 90}\n", "is shorter than its side file says"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sink *sink = file_sink_new(path);
		struct error err;

		write_file(path, rows[i].file);
		unlink(side);
		if (rows[i].side)
			write_file(side, rows[i].side);
		if (sink->ops->open(sink, &(struct sink_start){.life = "1", .next_sequence = 5, .resumable = true},
		                    NULL, &err) == 0)
			fail_msg("%s: is taken", rows[i].name);
		if (!strstr(err.text, rows[i].said) || !strstr(err.text, path))
			fail_msg("%s: %s", rows[i].name, err.text);
		sink->ops->close(sink);
		expect_file(path, rows[i].file);
	}
}

static void anew_test(void **state)
{
	struct error err;
	struct sink *sink;

	(void)state;
	write_file(path, ROW(1));
	write_file(side, "{\"sequence\": 9, \"begin\": 0}\n");
	sink = open_sink(1, false);
	assert_int_equal(write_window(sink, 1, 2, 1, &err), SINK_ACCEPTED);
	sink->ops->close(sink);
	expect_file(path, ROW(2));
}

/* A device cannot be cut back: that is said when the job starts, not tried without end. */
static void device_test(void **state)
{
	struct sink *sink = file_sink_new("/dev/null");
	struct error err;

	(void)state;
	assert_int_equal(sink->ops->open(sink, &(struct sink_start){.life = "1", .next_sequence = 1, .resumable = true},
	                                 NULL, &err),
	                 -1);
	assert_string_equal(err.text,
	                    "/dev/null is not a regular file, so a window cannot be written again; write to a "
	                    "file, or use the stdout sink");
	sink->ops->close(sink);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(again_test, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(crash_test, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(refusals_test, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(anew_test, set_up, tear_down),
	        cmocka_unit_test(device_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
