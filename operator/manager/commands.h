/*
 * The operator's commands: one file each. Exit codes: 0 done, 1 failed, 2 usage; `plan` says 2 where there are changes.
 */
#ifndef STREAMJOB_COMMANDS_H
#define STREAMJOB_COMMANDS_H

#include <stdbool.h>

#include "lib/base/clock.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CHANGES = 2 };

int operator_run(int argc, char **argv);
int operator_plan(int argc, char **argv);

/* The process's clocks, and its logs to standard error. */
extern const struct clock operator_clock;
void operator_log(bool json, int level);

#endif
