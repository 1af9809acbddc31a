/*
 * The operator's commands: one file each. lib/base/exit_code.h has the exit codes.
 */
#ifndef STREAMJOB_OPERATOR_COMMANDS_H
#define STREAMJOB_OPERATOR_COMMANDS_H

#include "lib/process/commands.h"

int operator_run(int argc, char **argv);
int operator_plan(int argc, char **argv);

#endif
