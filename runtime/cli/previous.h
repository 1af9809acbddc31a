/*
 * The job files before this one (--previous). A window that was begun under another query, and perhaps written to a
 * sink, has to be finished by the job file that has that query; then this one goes on.
 */
#ifndef STREAMJOB_CLI_PREVIOUS_H
#define STREAMJOB_CLI_PREVIOUS_H

#include "runtime/cli/run.h"

#define PREVIOUS_FILES_MAX 256 /* of a folder */

/*
 * The job of one of the files whose query has that hash and that reads group and topic of `job`, and where it was
 * found; it lives in `jobs`. NULL: there is none, and err says what was looked at.
 */
const struct jobspec *previous_find(const struct run_options *options, const struct jobspec *job, const char *query,
                                    struct jobspecs *jobs, struct previous_file *ret_found, struct error *err);

#endif
