/* Dead letters as JSON lines: the record as it was, its place, the reason; bytes that are no text as base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "runtime/file/file.h"

static char path[64];

static void expect_file(const char *expected)
{
	char found[4096] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	found[fread(found, 1, sizeof(found) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(found, expected);
}

#define FIRST                                                                                                          \
	"{\"topic\":\"t\",\"partition\":3,\"offset\":42,\"timestamp\":-1,\"reason\":\"no "                             \
	"\\\"good\\\"\",\"value\":\"{bad\"}\n"
#define SECOND                                                                                                         \
	"{\"topic\":\"\",\"partition\":0,\"offset\":0,\"timestamp\":5,\"reason\":\"r\",\"key\":\"\","                  \
	"\"value_base64\":\"/wA=\"}\n"

/* No value and an empty one are two things. */
#define THIRD                                                                                                          \
	"{\"topic\":\"\",\"partition\":0,\"offset\":1,\"timestamp\":5,\"reason\":\"r\",\"key\":\"k\",\"value\":null}"  \
	"\n"
#define FOURTH                                                                                                         \
	"{\"topic\":\"\",\"partition\":0,\"offset\":2,\"timestamp\":5,\"reason\":\"r\",\"line\":9,"                    \
	"\"element\":4,\"value\":\"\"}\n"

static void letters_test(void **state)
{
	const struct record first = {.value = SLICE_LITERAL("{bad"), .offset = 42, .timestamp_ms = -1, .partition = 3};
	const struct record third = {.value = {NULL, 0}, .key = SLICE_LITERAL("k"), .offset = 1, .timestamp_ms = 5};
	const struct record fourth = {.value = {"", 0}, .offset = 2, .timestamp_ms = 5, .line = 9, .element = 4};
	const struct record second = {.value = {"\xff\0", 2}, .key = {"", 0}, .timestamp_ms = 5};
	struct dead_letter *letters;
	struct error err;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/streamjob-letters-%d", (int)getpid());
	letters = file_dead_letter_new(path);
	assert_int_equal(letters->ops->open(letters, NULL, &err), 0);
	assert_int_equal(letters->ops->write(letters, &first, "t", "no \"good\"", &err), 0);
	assert_int_equal(letters->ops->flush(letters, NULL, &err), 0);
	expect_file(FIRST);
	assert_int_equal(letters->ops->flush(letters, NULL, &err), 0);
	letters->ops->close(letters);
	/* The next run appends; what was not flushed is written when it ends. */
	letters = file_dead_letter_new(path);
	assert_int_equal(letters->ops->open(letters, NULL, &err), 0);
	assert_int_equal(letters->ops->write(letters, &second, "", "r", &err), 0);
	assert_int_equal(letters->ops->write(letters, &third, "", "r", &err), 0);
	assert_int_equal(letters->ops->write(letters, &fourth, "", "r", &err), 0);
	letters->ops->close(letters);
	expect_file(FIRST SECOND THIRD FOURTH);
	unlink(path);
}

/* Half a line that a crash left, or a full disk, costs no later letter. */
static void torn_line_test(void **state)
{
	static const struct {
		const char *name, *before, *expected;
	} cases[] = {
	        {"half a letter", "{\"topic\":\"t", "{\"topic\":\"t\n" FIRST},
	        {"a letter but for its end", "{}", "{}\n" FIRST},
	        {"whole lines", "{}\n", "{}\n" FIRST},
	        {"nothing", "", FIRST},
	};
	const struct record first = {.value = SLICE_LITERAL("{bad"), .offset = 42, .timestamp_ms = -1, .partition = 3};

	(void)state;
	snprintf(path, sizeof(path), "/tmp/streamjob-letters-%d", (int)getpid());
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dead_letter *letters = file_dead_letter_new(path);
		FILE *file = fopen(path, "w");
		struct error err;

		assert_non_null(file);
		fputs(cases[i].before, file);
		fclose(file);
		assert_int_equal(letters->ops->open(letters, NULL, &err), 0);
		assert_int_equal(letters->ops->write(letters, &first, "t", "no \"good\"", &err), 0);
		assert_int_equal(letters->ops->flush(letters, NULL, &err), 0);
		expect_file(cases[i].expected);
		letters->ops->close(letters);
	}
	unlink(path);
}

/* A write that fails half-way (here a limit on the file's size) is done again, whole, on a line of its own. */
static void full_disk_test(void **state)
{
	const struct record first = {.value = SLICE_LITERAL("{bad"), .offset = 42, .timestamp_ms = -1, .partition = 3};
	struct dead_letter *letters;
	struct rlimit limit, small;
	struct error err;
	char expected[256];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/streamjob-letters-%d", (int)getpid());
	letters = file_dead_letter_new(path);
	assert_int_equal(letters->ops->open(letters, NULL, &err), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	small = (struct rlimit){10, limit.rlim_max};
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(letters->ops->write(letters, &first, "t", "no \"good\"", &err), 0);
	assert_int_equal(letters->ops->flush(letters, NULL, &err), -1);
	setrlimit(RLIMIT_FSIZE, &limit);
	assert_int_equal(letters->ops->flush(letters, NULL, &err), 0);
	snprintf(expected, sizeof(expected), "%.10s\n%s", FIRST, FIRST);
	expect_file(expected);
	letters->ops->close(letters);
	unlink(path);
}

static void window_test(void **state)
{
	static const struct schema_column columns[] = {{"n", TYPE_INT}};
	const struct schema schema = {columns, 1};
	struct window_result result = {.end_ms = 1000, .sequence = 7, .schema = &schema};
	struct dead_letter *letters;
	struct error err;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/streamjob-letters-%d", (int)getpid());
	batch_init(&result.rows, &schema, NULL, 2);
	result.rows.rows = 2;
	column_set(&result.rows.columns[0], 0, (struct value){.type = TYPE_INT, .bigint = 1});
	column_set(&result.rows.columns[0], 1, (struct value){.type = TYPE_INT, .null = true});
	letters = file_dead_letter_new(path);
	assert_int_equal(letters->ops->open(letters, NULL, &err), 0);
	assert_int_equal(letters->ops->write_rows(letters, &result, 0, 2, "pushgateway", "400: bad", &err), 0);
	assert_int_equal(letters->ops->flush(letters, NULL, &err), 0);
	expect_file(
	        "{\"sink\":\"pushgateway\",\"sequence\":7,\"reason\":\"400: bad\",\"rows\":["
	        "{\"window_start\":\"1970-01-01T00:00:00.000Z\",\"window_end\":\"1970-01-01T00:00:01.000Z\",\"n\":1},"
	        "{\"window_start\":\"1970-01-01T00:00:00.000Z\",\"window_end\":\"1970-01-01T00:00:01.000Z\",\"n\":null}"
	        "]}\n");
	letters->ops->close(letters);
	batch_release(&result.rows);
	unlink(path);
}

static void unwritable_test(void **state)
{
	struct dead_letter *letters = file_dead_letter_new("/nowhere/at/all");
	struct error err;

	(void)state;
	assert_int_equal(letters->ops->open(letters, NULL, &err), -1);
	assert_string_equal(err.text, "cannot open /nowhere/at/all: No such file or directory");
	letters->ops->close(letters);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(letters_test), cmocka_unit_test(torn_line_test),
	                                   cmocka_unit_test(full_disk_test), cmocka_unit_test(window_test),
	                                   cmocka_unit_test(unwritable_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
