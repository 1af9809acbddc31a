#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "operator/manager/diff.h"

/* The expected texts are what GNU diff -u prints. */
static void diff_test(void **state)
{
	static const struct {
		const char *name, *before, *after, *diff;
	} rows[] = {
	        {"the same", "a\nb\n", "a\nb\n", ""},
	        {"from nothing", "", "a\nb\n", "--- old\n+++ new\n@@ -0,0 +1,2 @@\n+a\n+b\n"},
	        {"to nothing", "a\n", "", "--- old\n+++ new\n@@ -1 +0,0 @@\n-a\n"},
	        {"one line", "a\nb\nc\n", "a\nx\nc\n", "--- old\n+++ new\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"},
	        {"context of three", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
	         "--- old\n+++ new\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
	        {"two hunks", "a\n1\n2\n3\n4\n5\n6\n7\n8\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\n8\nB\n",
	         "--- old\n+++ new\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -7,4 +7,4 @@\n 6\n 7\n 8\n-b\n+B\n"},
	        {"contexts that touch are one hunk", "a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
	         "--- old\n+++ new\n@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n"},
	        {"a line put in", "a\nb\n", "a\nx\nb\n", "--- old\n+++ new\n@@ -1,2 +1,3 @@\n a\n+x\n b\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buffer out;
		bool differs;

		print_message("%s\n", rows[i].name);
		buffer_init(&out);
		buffer_append_text(&out, "");
		differs = diff_unified("old", slice_of(rows[i].before), "new", slice_of(rows[i].after), &out);
		assert_string_equal(buffer_slice(&out).data, rows[i].diff);
		assert_int_equal(differs, rows[i].diff[0] != '\0');
		buffer_release(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(diff_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
