#include "lib/process/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/process/hash_key.h"

struct program {
	const char *name;
	const struct command *commands;
	size_t count;
};

static int usage_width(const struct program *self)
{
	size_t width = strlen("version");

	for (size_t i = 0; i < self->count; i++)
		if (strlen(self->commands[i].usage) > width)
			width = strlen(self->commands[i].usage);
	return (int)width + 2;
}

static int usage(const struct program *self, FILE *out, int code)
{
	int width = usage_width(self);
	struct buffer codes;

	fprintf(out, "usage: %s COMMAND\n\n", self->name);
	for (size_t i = 0; i < self->count; i++)
		fprintf(out, "  %-*s %s\n", width, self->commands[i].usage, self->commands[i].what);
	fprintf(out, "  %-*s %s\n", width, "version", "print the version");
	buffer_init(&codes);
	exit_codes_line(&codes);
	fprintf(out, "\nExit codes: %s.\n`%s COMMAND --help` says more.\n", codes.data, self->name);
	buffer_release(&codes);
	return code;
}

static int version(const struct program *self)
{
	printf("%s " STREAMJOB_VERSION "\n", self->name);
	return EXIT_OK;
}

/* What is still in the stream's buffer is written, so that a full disk does not end in success. */
static int written(const struct program *self, int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "%s: cannot write standard output: %s\n", self->name, strerror(errno));
	return code == EXIT_OK ? EXIT_FAILED : code;
}

static int find_and_run(const struct program *self, int argc, char **argv)
{
	const char *word = argc < 2 ? NULL : argv[1];

	if (!word)
		return usage(self, stderr, EXIT_USAGE);
	if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help"))
		return usage(self, stdout, EXIT_OK);
	if (!strcmp(word, "--version") || !strcmp(word, "version"))
		return version(self);
	for (size_t i = 0; i < self->count; i++)
		if (!strcmp(word, self->commands[i].name))
			return self->commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "%s: no command \"%s\"\n", self->name, word);
	return usage(self, stderr, EXIT_USAGE);
}

int commands_run(const char *program, const struct command *commands, size_t count, int argc, char **argv)
{
	const struct program self = {program, commands, count};

	hash_key_draw();
	return written(&self, find_and_run(&self, argc, argv));
}
