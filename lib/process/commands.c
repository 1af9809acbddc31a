#include "lib/process/commands.h"

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

	fprintf(out, "usage: %s COMMAND\n\n", self->name);
	for (size_t i = 0; i < self->count; i++)
		fprintf(out, "  %-*s %s\n", width, self->commands[i].usage, self->commands[i].what);
	fprintf(out, "  %-*s %s\n", width, "version", "print the version");
	fprintf(out, "\n`%s COMMAND --help` says more.\n", self->name);
	return code;
}

static int version(const struct program *self)
{
	printf("%s " STREAMJOB_VERSION "\n", self->name);
	return EXIT_OK;
}

int commands_run(const char *program, const struct command *commands, size_t count, int argc, char **argv)
{
	const struct program self = {program, commands, count};
	const char *word = argc < 2 ? NULL : argv[1];

	hash_key_draw();
	if (!word)
		return usage(&self, stderr, EXIT_USAGE);
	if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help"))
		return usage(&self, stdout, EXIT_OK);
	if (!strcmp(word, "--version") || !strcmp(word, "version"))
		return version(&self);
	for (size_t i = 0; i < count; i++)
		if (!strcmp(word, commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "%s: no command \"%s\"\n", program, word);
	return usage(&self, stderr, EXIT_USAGE);
}
