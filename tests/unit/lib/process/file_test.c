#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/process/file.h"

#define BYTES_MAX 40000 /* more than is read at a time */

static char folder[] = "/tmp/file_test.XXXXXX";

static const struct row {
	const char *name, *path; /* in the folder, but for "-" */
	size_t bytes;            /* of the file; SIZE_MAX: there is none */
	const char *expected;    /* NULL: its bytes are read; else the error, %s the path */
} rows[] = {
        {"empty", "a", 0, NULL},
        {"one byte", "a", 1, NULL},
        {"as large as may be", "a", BYTES_MAX, NULL},
        {"one byte too large", "a", BYTES_MAX + 1,
         "%s has more than 40000 bytes, the most that are read of such a file"},
        {"standard input", "-", 20000, NULL},
        {"standard input, too large", "-", BYTES_MAX + 1,
         "standard input has more than 40000 bytes, the most that are read of such a file"},
        {"no file", "none", SIZE_MAX, "cannot open %s: No such file or directory"},
        {"a folder", ".", SIZE_MAX, "cannot read %s: Is a directory"},
};

static void write_bytes(const char *path, size_t bytes)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	for (size_t i = 0; i < bytes; i++)
		fputc('a' + (int)(i % 26), file);
	assert_int_equal(fclose(file), 0);
}

static bool is_whole(struct slice text, size_t bytes)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] != 'a' + (int)(i % 26))
			return false;
	return text.size == bytes;
}

static void read_test(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		bool standard = strcmp(row->path, "-") == 0;
		char path[64], expected[160];
		struct buffer text;
		struct error err = {.text = ""};
		int result;

		snprintf(path, sizeof(path), "%s/%s", folder, standard ? "input" : row->path);
		if (row->bytes != SIZE_MAX)
			write_bytes(path, row->bytes);
		if (standard)
			assert_non_null(freopen(path, "r", stdin));
		snprintf(expected, sizeof(expected), row->expected ? row->expected : "", path);
		buffer_init(&text);
		result = file_read(standard ? "-" : path, BYTES_MAX, &text, &err);
		if (result != (row->expected ? -1 : 0) || strcmp(err.text, expected) != 0)
			fail_msg("%s: %d, \"%s\"", row->name, result, err.text);
		if (!row->expected && !is_whole(buffer_slice(&text), row->bytes))
			fail_msg("%s: %zu other bytes", row->name, text.size);
		buffer_release(&text);
		if (row->bytes != SIZE_MAX)
			unlink(path);
	}
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(read_test)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
