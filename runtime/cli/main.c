/* streamjob: the command line of the runtime. */
#include <stdio.h>
#include <string.h>

#include "runtime/cli/cli.h"

static int command_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("streamjob " STREAMJOB_VERSION);
	return EXIT_OK;
}

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage, *what;
} commands[] = {
        {"run", command_run, "run FILE [options]", "run the job until it ends, is stopped or fails"},
        {"validate", command_validate, "validate FILE...", "print everything that is wrong with job files"},
        {"explain", command_explain, "explain FILE", "print the plan of a job"},
        {"schema", command_schema, "schema --crd | --reference", "print the CRD or the reference of the job file"},
        {"cleanup", command_cleanup, "cleanup FILE [options]", "delete the Pushgateway groups of a job that is gone"},
        {"version", command_version, "version", "print the version"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int usage(FILE *out, int code)
{
	fputs("usage: streamjob COMMAND\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-28s %s\n", commands[i].usage, commands[i].what);
	fputs("\n`streamjob COMMAND --help` says more.\n", out);
	return code;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr, EXIT_USAGE);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return usage(stdout, EXIT_OK);
	if (!strcmp(argv[1], "--version"))
		return command_version(argc, argv);
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "streamjob: no command \"%s\"\n", argv[1]);
	return usage(stderr, EXIT_USAGE);
}
