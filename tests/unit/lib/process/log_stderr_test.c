/* What a process says that gets no memory any more. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/memory.h"
#include "lib/process/log_stderr.h"

static const struct row {
	const char *name, *begins, *ends;
	bool json;
} rows[] = {
        {"text", "time=", " level=error msg=\"out of memory: the process ends here\"\n", false},
        {"JSON", "{\"time\":", ",\"level\":\"error\",\"msg\":\"out of memory: the process ends here\"}\n", true},
};

/* In a process of its own, which aborts after it has spoken. */
static void exhausted_test(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char said[256] = "";
		int ends[2], status;
		size_t size;
		pid_t child;

		assert_int_equal(pipe(ends), 0);
		child = fork();
		if (child == 0) {
			dup2(ends[1], STDERR_FILENO);
			log_to_stderr(rows[i].json, LOG_LEVEL_ERROR);
			memory_exhausted();
		}
		close(ends[1]);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(read(ends[0], said, sizeof(said) - 1) > 0);
		close(ends[0]);
		size = strlen(said);
		if (strncmp(said, rows[i].begins, strlen(rows[i].begins)) != 0 || size < strlen(rows[i].ends) ||
		    strcmp(said + size - strlen(rows[i].ends), rows[i].ends) != 0)
			fail_msg("%s: %s", rows[i].name, said);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGABRT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(exhausted_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
