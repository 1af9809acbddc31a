/*
 * The operator's commands: one file each. Exit codes: 0 done, 1 failed, 2 usage; `plan` says 2 where there are changes.
 */
#ifndef STREAMJOB_OPERATOR_COMMANDS_H
#define STREAMJOB_OPERATOR_COMMANDS_H

#include "lib/process/commands.h"

enum { EXIT_FAILED = 1, EXIT_CHANGES = 2 };

int operator_run(int argc, char **argv);
int operator_plan(int argc, char **argv);

#endif
