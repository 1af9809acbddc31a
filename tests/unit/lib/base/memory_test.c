/* Budgets: what is used, what is refused; and what happens without memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/memory.h"

static void budget_test(void **state)
{
	struct budget budget = {.max_bytes = 100};
	char *a, *b, *c;

	(void)state;
	a = budget_alloc(&budget, 60);
	assert_non_null(a);
	memset(a, 'a', 60);
	assert_int_equal(budget.used_bytes, 60);
	assert_null(budget_alloc(&budget, 41));
	assert_null(budget_alloc(&budget, SIZE_MAX));
	assert_int_equal(budget.used_bytes, 60);
	b = budget_alloc(&budget, 40);
	assert_non_null(b);
	assert_null(budget_alloc(&budget, 1));
	c = budget_alloc(&budget, 0);
	assert_non_null(c);
	assert_null(budget_resize(&budget, a, 60, 61));
	assert_int_equal(a[59], 'a'); /* refused: as it was */
	a = budget_resize(&budget, a, 60, 20);
	assert_int_equal(budget.used_bytes, 60);
	b = budget_resize(&budget, b, 40, 80);
	assert_non_null(b);
	memset(b, 'b', 80);
	assert_int_equal(budget.used_bytes, 100);
	budget_free(&budget, a, 20);
	budget_free(&budget, b, 80);
	budget_free(&budget, c, 0);
	budget_free(&budget, NULL, 50);
	assert_int_equal(budget.used_bytes, 0);
}

/* A limit that was lowered refuses, and takes back. */
static void lowered_budget_test(void **state)
{
	struct budget budget = {.max_bytes = 100};
	char *memory = budget_alloc(&budget, 80);

	(void)state;
	budget.max_bytes = 50;
	assert_null(budget_alloc(&budget, 1));
	assert_null(budget_resize(&budget, memory, 80, 70));
	memory = budget_resize(&budget, memory, 80, 50);
	assert_non_null(memory);
	assert_int_equal(budget.used_bytes, 50);
	budget_free(&budget, memory, 50);
}

static void sizes_test(void **state)
{
	char *none = xmalloc(0), *zeros = xcalloc(10, 10), *empty = xcalloc(0, 8), *copy = xstrdup("text");

	(void)state;
	assert_non_null(none);
	assert_non_null(empty);
	for (int i = 0; i < 100; i++)
		assert_int_equal(zeros[i], 0);
	assert_string_equal(copy, "text");
	none = xrealloc(none, 0);
	assert_non_null(none);
	free(none);
	free(zeros);
	free(empty);
	free(copy);
}

static void say(void)
{
	static const char words[] = "no memory";

	if (write(STDOUT_FILENO, words, sizeof(words) - 1) < 0)
		_exit(3);
}

/* In a process of its own, which aborts after its handler has spoken. */
static void exhausted_test(void **state)
{
	char said[64] = "";
	int ends[2], status;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		memory_install_exhausted(say);
		memory_exhausted();
	}
	close(ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(read(ends[0], said, sizeof(said) - 1), strlen("no memory"));
	close(ends[0]);
	assert_string_equal(said, "no memory");
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(budget_test),
	        cmocka_unit_test(lowered_budget_test),
	        cmocka_unit_test(sizes_test),
	        cmocka_unit_test(exhausted_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
