/* streamjob-operator: the command line of the operator. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "operator/manager/commands.h"

static int version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("streamjob-operator " STREAMJOB_VERSION);
	return EXIT_OK;
}

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage, *what;
} commands[] = {
        {"run", operator_run, "run [options]", "keep every StreamJob's pods and status as its spec says"},
        {"plan", operator_plan, "plan FILE...", "print what an apply of these files would change, and change nothing"},
        {"version", version, "version", "print the version"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int usage(FILE *out, int code)
{
	fputs("usage: streamjob-operator COMMAND\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-16s %s\n", commands[i].usage, commands[i].what);
	fputs("\n`streamjob-operator COMMAND --help` says more.\n", out);
	return code;
}

int main(int argc, char **argv)
{
	json_object_seed(0); /* before any thread */
	if (argc < 2)
		return usage(stderr, EXIT_USAGE);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return usage(stdout, EXIT_OK);
	if (!strcmp(argv[1], "--version"))
		return version(argc, argv);
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "streamjob-operator: no command \"%s\"\n", argv[1]);
	return usage(stderr, EXIT_USAGE);
}
