/*
 * The command line: one file a command. lib/base/exit_code.h has the exit codes.
 */
#ifndef STREAMJOB_CLI_H
#define STREAMJOB_CLI_H

#include "lib/spec/read/load.h"
#include "lib/process/commands.h"
#include "runtime/port/port.h"

int command_run(int argc, char **argv);
int command_validate(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_schema(int argc, char **argv);
int command_cleanup(int argc, char **argv);

/*
 * Loads the file and finds the one StreamJob in it, or the one of that name. NULL after everything that is wrong was
 * printed to standard error. The job lives in `jobs` (jobspecs_release).
 */
const struct jobspec *job_file_load(const char *path, const char *name, struct jobspecs *jobs);

#endif
