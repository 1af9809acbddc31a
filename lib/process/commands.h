/*
 * A program of several commands: `PROGRAM COMMAND …`. Each command is one function that gets its own name as argv[0];
 * --help, --version and `version` are there by themselves.
 */
#ifndef STREAMJOB_COMMANDS_H
#define STREAMJOB_COMMANDS_H

#include <stddef.h>

#include "lib/base/exit_code.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage, *what; /* "run FILE [options]"; what it does */
};

/* The exit code of the program: the command's, but EXIT_FAILED where its standard output could not be written. */
int commands_run(const char *program, const struct command *commands, size_t count, int argc, char **argv);

#endif
