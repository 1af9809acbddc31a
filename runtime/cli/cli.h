/*
 * The command line: one file a command. Exit codes: 0 done, 1 the job failed or a file has problems, 2 usage or an
 * invalid job file for `run`.
 */
#ifndef STREAMJOB_CLI_H
#define STREAMJOB_CLI_H

#include "lib/jobspec/load.h"
#include "runtime/port/port.h"

enum { EXIT_OK = 0, EXIT_JOB_FAILED = 1, EXIT_PROBLEMS = 1, EXIT_USAGE = 2 };

int command_run(int argc, char **argv);
int command_validate(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_schema(int argc, char **argv);
int command_cleanup(int argc, char **argv);

/* Reads a whole job file, "-" for standard input. */
int job_file_read(const char *path, struct buffer *out, struct error *err);

/*
 * Loads the file and finds the one StreamJob in it, or the one of that name. NULL after everything that is wrong was
 * printed to standard error. The job lives in `jobs` (jobspecs_release).
 */
const struct jobspec *job_file_load(const char *path, const char *name, struct jobspecs *jobs);

/* The process's clocks. */
extern const struct clock system_clock;

/* How many lanes pay: the processors this process may use, by affinity and cgroup quota; 1 to 8. */
unsigned processors_available(void);

/* Logs to standard error from now on. */
void log_to_stderr(bool json, int level);
/* Each line of the log takes the place of the live line, which is shown again below it. */
void log_over_live_line(void);

#endif
