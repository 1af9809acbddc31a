/* What a program of several commands does with its words; what it prints goes to a file that is read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/process/commands.h"

#define WORDS_MAX 4

static char ran[64]; /* the command's words */

static int note_words(int argc, char **argv)
{
	ran[0] = '\0';
	for (int i = 0; i < argc; i++)
		snprintf(ran + strlen(ran), sizeof(ran) - strlen(ran), "%s%s", i ? " " : "", argv[i]);
	return 7;
}

static const struct command commands[] = {
        {"go", note_words, "go WHERE [options]", "go there"},
        {"stay", note_words, "stay", "do not"},
};

#define USAGE                                                                                                          \
	"usage: walker COMMAND\n\n  go WHERE [options]   go there\n  stay                 do not\n"                    \
	"  version              print the version\n\nExit codes: 0 done, 1 failed, 2 usage, 3 loss, 4 "                \
	"changes.\n`walker COMMAND --help` says more.\n"

static struct row {
	const char *name;
	char words[WORDS_MAX][16];
	int code;
	const char *ran, *out, *err;
} rows[] = {
        {"no command", {""}, EXIT_USAGE, "", "", USAGE},
        {"help", {"help"}, EXIT_OK, "", USAGE, ""},
        {"--help", {"--help"}, EXIT_OK, "", USAGE, ""},
        {"-h", {"-h"}, EXIT_OK, "", USAGE, ""},
        {"version", {"version"}, EXIT_OK, "", "walker " STREAMJOB_VERSION "\n", ""},
        {"--version", {"--version"}, EXIT_OK, "", "walker " STREAMJOB_VERSION "\n", ""},
        {"a command", {"stay"}, 7, "stay", "", ""},
        {"a command's own words", {"go", "--help"}, 7, "go --help", "", ""},
        {"not a command", {"run"}, EXIT_USAGE, "", "", "walker: no command \"run\"\n" USAGE},
        {"half a command", {"g"}, EXIT_USAGE, "", "", "walker: no command \"g\"\n" USAGE},
};

/* The stream writes into a file of its own until captured() gives it back. */
static int capture(FILE *stream, FILE **ret_file)
{
	int before = dup(fileno(stream));

	fflush(stream);
	*ret_file = tmpfile();
	assert_non_null(*ret_file);
	dup2(fileno(*ret_file), fileno(stream));
	return before;
}

static void captured(FILE *stream, int before, FILE *file, char *text, size_t size)
{
	fflush(stream);
	dup2(before, fileno(stream));
	close(before);
	rewind(file);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
}

static void words_test(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[] = "walker", *argv[WORDS_MAX + 2] = {name}, out[1024], err[1024];
		int argc = 1, code, out_before, err_before;
		FILE *out_file, *err_file;

		for (; argc <= WORDS_MAX && *rows[i].words[argc - 1]; argc++)
			argv[argc] = rows[i].words[argc - 1];
		ran[0] = '\0';
		out_before = capture(stdout, &out_file);
		err_before = capture(stderr, &err_file);
		code = commands_run("walker", commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
		captured(stdout, out_before, out_file, out, sizeof(out));
		captured(stderr, err_before, err_file, err, sizeof(err));
		if (code != rows[i].code || strcmp(ran, rows[i].ran) || strcmp(out, rows[i].out) ||
		    strcmp(err, rows[i].err))
			fail_msg("%s: code %d, ran \"%s\", printed \"%s\" and \"%s\"", rows[i].name, code, ran, out,
			         err);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(words_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
