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
#include "tests/unit/runtime/port/passing_time.h"

SLEEPS_PASS(); /* NOLINT(readability-inconsistent-declaration-parameter-name) */

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

static struct stop stop = {.deadline_ms = INT64_MAX, .clock = &passing_clock};

#define SIDE(life, sequence, begin)                                                                                    \
	"{\"version\": 1, \"life\": \"" life "\", \"sequence\": " #sequence ", \"begin\": " #begin "}\n"

/* A window of rows n, n + 1, … */
static enum sink_outcome write_window(struct sink *sink, uint64_t sequence, int64_t n, size_t rows, struct error *err)
{
	struct window_result result = {.end_ms = 1000, .sequence = sequence, .schema = &schema};
	enum sink_outcome outcome;

	batch_init(&result.rows, &schema, NULL, rows + 1);
	result.rows.rows = rows;
	for (size_t i = 0; i < rows; i++)
		column_set(&result.rows.columns[0], i, (struct value){.type = TYPE_BIGINT, .bigint = n + (int64_t)i});
	outcome = sink->ops->write(sink, &result, &stop, err);
	batch_release(&result.rows);
	return outcome;
}

static int try_open(struct sink *sink, const char *life, uint64_t next_sequence, bool pending, bool resumable,
                    struct error *err)
{
	struct sink_start start = {.next_sequence = next_sequence, .pending = pending, .resumable = resumable};

	snprintf(start.life, sizeof(start.life), "%s", life);
	return sink->ops->open(sink, &start, &stop, err);
}

/* A later start under life "a", whose window was begun. */
static struct sink *open_sink(uint64_t next_sequence, bool resumable)
{
	struct sink *sink = file_sink_new(path);
	struct error err;

	if (try_open(sink, "a", next_sequence, true, resumable, &err) < 0)
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
	        {"before the window", ROW(1), SIDE("a", 1, 0)},
	        {"after the side file", ROW(1), SIDE("a", 2, 90)},
	        {"within a row", ROW(1) "{\"window_st", SIDE("a", 2, 90)},
	        {"after the window", ROW(1) ROW(9), SIDE("a", 2, 90)},
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
		expect_file(side, SIDE("a", 2, 90));
	}
}

/* A number belongs to a life: only the window that was begun under this one is cut back to. The next one is 5. */
static void lives_test(void **state)
{
	static const struct {
		const char *name, *side;
		bool pending, replaces;
	} rows[] = {
	        {"same life, pending, below", SIDE("a", 4, 0), true, false},
	        {"same life, pending, equal", SIDE("a", 5, 0), true, true},
	        {"same life, pending, above", SIDE("a", 6, 0), true, false},
	        {"same life, not pending, below", SIDE("a", 4, 0), false, false},
	        {"same life, not pending, equal", SIDE("a", 5, 0), false, false},
	        {"same life, not pending, above", SIDE("a", 6, 0), false, false},
	        {"other life, pending, below", SIDE("b", 4, 0), true, false},
	        {"other life, pending, equal", SIDE("b", 5, 0), true, false},
	        {"other life, pending, above", SIDE("b", 6, 0), true, false},
	        {"other life, not pending, below", SIDE("b", 4, 0), false, false},
	        {"other life, not pending, equal", SIDE("b", 5, 0), false, false},
	        {"other life, not pending, above", SIDE("b", 6, 0), false, false},
	        {"other life, the file was cut", SIDE("b", 4, 9000), false, false},
	        {"no life, pending", NULL, true, true},
	        {"no life, not pending", NULL, false, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sink *sink = file_sink_new(path);
		struct error err;

		write_file(path, rows[i].side ? ROW(1) : "");
		unlink(side);
		if (rows[i].side)
			write_file(side, rows[i].side);
		if (try_open(sink, "a", 5, rows[i].pending, true, &err) < 0)
			fail_msg("%s: %s", rows[i].name, err.text);
		for (int round = 0; round < 2; round++) /* once more: it replaces itself */
			if (write_window(sink, 5, 2, 1, &err) != SINK_ACCEPTED)
				fail_msg("%s: %s", rows[i].name, err.text);
		if (write_window(sink, 6, 3, 1, &err) != SINK_ACCEPTED)
			fail_msg("%s: %s", rows[i].name, err.text);
		expect_file(path, rows[i].replaces ? ROW(2) ROW(3) : ROW(1) ROW(2) ROW(3));
		expect_file(side, rows[i].replaces ? SIDE("a", 6, 90) : SIDE("a", 6, 180));
		sink->ops->close(sink);
	}
}

/* Half a line of a former life stays what it is, and costs no row of this one. */
static void torn_line_test(void **state)
{
	struct sink *sink = file_sink_new(path);
	struct error err;

	(void)state;
	write_file(path, ROW(1) "{\"window_st");
	write_file(side, SIDE("b", 5, 90));
	assert_int_equal(try_open(sink, "a", 1, false, true, &err), 0);
	assert_int_equal(write_window(sink, 1, 2, 1, &err), SINK_ACCEPTED);
	assert_int_equal(write_window(sink, 1, 2, 1, &err), SINK_ACCEPTED);
	sink->ops->close(sink);
	expect_file(path, ROW(1) "{\"window_st\n" ROW(2));
}

static void inspect_test(void **state)
{
	struct sink *sink = file_sink_new(path);
	struct sink_held held;
	struct error err;

	(void)state;
	assert_int_equal(sink->ops->inspect(sink, &stop, &held, &err), 0);
	assert_string_equal(held.life, "");
	assert_int_equal(access(path, F_OK), -1);
	write_file(side, SIDE("b", 7, 0));
	assert_int_equal(sink->ops->inspect(sink, &stop, &held, &err), 0);
	assert_string_equal(held.life, "b");
	assert_int_equal(held.sequence, 7);
	sink->ops->close(sink);
}

static void refusals_test(void **state)
{
	static const char cut_off[] = "is cut off or not this sink's side file";
	static const struct {
		const char *name, *file, *side, *said;
	} rows[] = {
	        {"a file of somebody else", "precious\n", NULL, "it was not written by this job"},
	        {"a side file of somebody else", "", "precious\n", cut_off},
	        {"nothing in it", ROW(1), "", cut_off},
	        {"cut off", ROW(1), "{\"version\": 1, \"life\": \"a\", \"sequence\": 5", cut_off},
	        {"more than one", ROW(1), SIDE("a", 4, 0) SIDE("a", 5, 0), cut_off},
	        {"no version", ROW(1), "{\"sequence\": 5, \"begin\": 0}\n", cut_off},
	        {"no life", ROW(1), SIDE("", 5, 0), cut_off},
	        {"no window", ROW(1), SIDE("a", 0, 0), cut_off},
	        {"before the file", ROW(1), SIDE("a", 5, -1), cut_off},
	        {"a newer one", ROW(1), "{\"version\": 2, \"life\": \"a\", \"sequence\": 5, \"begin\": 0}\n",
	         "is of version 2, and this program knows version 1"},
	        {"the window to come, in a file that was cut", "", SIDE("a", 5, 90),
	         "is shorter than its side file says"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sink *sink = file_sink_new(path);
		struct error err;

		write_file(path, rows[i].file);
		unlink(side);
		if (rows[i].side)
			write_file(side, rows[i].side);
		if (try_open(sink, "a", 5, true, true, &err) == 0)
			fail_msg("%s: is taken", rows[i].name);
		if (!strstr(err.text, rows[i].said) || !strstr(err.text, path))
			fail_msg("%s: %s", rows[i].name, err.text);
		sink->ops->close(sink);
		expect_file(path, rows[i].file);
		if (rows[i].side)
			expect_file(side, rows[i].side);
	}
}

/* The lease: who has lost it changes nothing, and nobody writes before an older process is quiet. */
struct owner {
	struct lease lease;
	enum renewed answer;
	int asked, fenced_at;
};

static enum renewed renew(void *context, struct error *err)
{
	struct owner *owner = context;

	if (++owner->asked == owner->fenced_at)
		owner->answer = RENEWED_FENCED;
	if (owner->answer != RENEWED)
		error_set(err, "the broker does not answer");
	return owner->answer;
}

static void lease_test(void **state)
{
	struct sink *sink = open_sink(1, true);
	struct owner owner = {.lease = {.clock = &passing_clock, .renew = renew}};
	struct error err;

	(void)state;
	owner.lease.context = &owner;
	sink->lease = &owner.lease;
	owner.answer = RENEWED_NOT;
	assert_int_equal(write_window(sink, 1, 1, 1, &err), SINK_RETRY);
	assert_non_null(strstr(err.text, "lease cannot be renewed: the broker does not answer"));
	owner.answer = RENEWED_FENCED;
	assert_int_equal(write_window(sink, 1, 1, 1, &err), SINK_FENCED);
	expect_file(path, "");
	assert_int_equal(access(side, F_OK), -1);
	owner.answer = RENEWED;
	assert_int_equal(write_window(sink, 1, 1, 1, &err), SINK_ACCEPTED);
	expect_file(path, ROW(1));
	/* Lost between any two steps of a window that is written again. */
	for (int step = 1; step <= 2; step++) {
		owner = (struct owner){.lease = {.clock = &passing_clock, .renew = renew, .context = &owner},
		                       .answer = RENEWED,
		                       .fenced_at = step};
		assert_int_equal(write_window(sink, 1, 2, 1, &err), SINK_FENCED);
		expect_file(path, step == 1 ? ROW(1) : "");
	}
	/* Or of one that is new. */
	for (int step = 1; step <= 3; step++) {
		owner = (struct owner){.lease = {.clock = &passing_clock, .renew = renew, .context = &owner},
		                       .answer = RENEWED,
		                       .fenced_at = step};
		assert_int_equal(write_window(sink, 2, 2, 1, &err), SINK_FENCED);
		expect_file(path, "");
		expect_file(side, step < 3 ? SIDE("a", 1, 0) : SIDE("a", 2, 0));
	}
	sink->ops->close(sink);
}

static void quiet_test(void **state)
{
	struct sink *sink = open_sink(1, true);
	struct owner owner = {.lease = {.clock = &passing_clock, .renew = renew, .until_ms = INT64_MAX}};
	struct error err;

	(void)state;
	atomic_store(&owner.lease.quiet_ms, passing_ms + 5000);
	sink->lease = &owner.lease;
	stop.deadline_ms = passing_ms + 1000;
	assert_int_equal(write_window(sink, 1, 1, 1, &err), SINK_RETRY);
	assert_non_null(strstr(err.text, "may still be on its way"));
	expect_file(path, "");
	stop.deadline_ms = INT64_MAX;
	assert_int_equal(write_window(sink, 1, 1, 1, &err), SINK_ACCEPTED);
	assert_true(lease_quiet(&owner.lease));
	expect_file(path, ROW(1));
	sink->ops->close(sink);
}

/* What the process before this one wrote while it still might: the window that this one begins with is there already.
 */
static void straggler_test(void **state)
{
	struct sink *older = open_sink(1, true), *newer = file_sink_new(path);
	struct owner owner = {.lease = {.clock = &passing_clock, .renew = renew, .until_ms = INT64_MAX}};
	struct error err;

	(void)state;
	assert_int_equal(write_window(older, 1, 1, 1, &err), SINK_ACCEPTED);
	atomic_store(&owner.lease.quiet_ms, passing_ms + 5000);
	newer->lease = &owner.lease;
	assert_int_equal(try_open(newer, "a", 2, true, true, &err), 0);
	assert_int_equal(write_window(older, 2, 2, 2, &err), SINK_ACCEPTED);
	assert_int_equal(write_window(newer, 2, 2, 2, &err), SINK_ACCEPTED);
	expect_file(path, ROW(1) ROW(2) ROW(3));
	assert_int_equal(write_window(newer, 3, 4, 1, &err), SINK_ACCEPTED);
	expect_file(path, ROW(1) ROW(2) ROW(3) ROW(4));
	older->ops->close(older);
	newer->ops->close(newer);
}

/* A disk that is full is asked again after pauses that grow, and its words stay. */
static void backoff_test(void **state)
{
	struct sink *sink = open_sink(1, true);
	int64_t began_ms = passing_ms;
	char away[80];
	struct error err;

	(void)state;
	snprintf(away, sizeof(away), "%s-away", folder);
	assert_int_equal(rename(folder, away), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(write_window(sink, 1, 1, 1, &err), SINK_RETRY);
	assert_int_equal(rename(away, folder), 0);
	assert_non_null(strstr(err.text, "cannot write"));
	assert_true(passing_ms - began_ms > 10000);
	assert_int_equal(write_window(sink, 1, 1, 1, &err), SINK_ACCEPTED);
	expect_file(path, ROW(1));
	sink->ops->close(sink);
}

static void anew_test(void **state)
{
	struct error err;
	struct sink *sink;

	(void)state;
	write_file(path, ROW(1));
	write_file(side, SIDE("a", 9, 0));
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
	assert_int_equal(try_open(sink, "a", 1, false, true, &err), -1);
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
	        cmocka_unit_test_setup_teardown(lives_test, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(torn_line_test, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(inspect_test, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(refusals_test, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(lease_test, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(quiet_test, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(straggler_test, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(backoff_test, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(anew_test, set_up, tear_down),
	        cmocka_unit_test(device_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
