/*
 * The job files before this one (--previous). A window that was begun under another query, and perhaps written to a
 * sink, has to be finished by the job file that has that query; then this one goes on.
 */
#ifndef STREAMJOB_CLI_PREVIOUS_H
#define STREAMJOB_CLI_PREVIOUS_H

#include "runtime/cli/run.h"
#include "runtime/pushgateway/pushgateway.h"

#define PREVIOUS_FILES_MAX 256 /* of a folder */

/* A file, which was given so, and its jobs or what is wrong with it. Who takes `jobs` empties them. True: enough. */
typedef bool previous_visit(void *context, const struct previous_file *given, const char *path, const char *problem,
                            struct jobspecs *jobs);
void previous_each(const struct run_options *options, previous_visit *visit, void *context);

/*
 * The job of one of the files whose query has that hash and that reads group and topic of `job`, and where it was
 * found; it lives in `jobs`. NULL: there is none, and err says what was looked at.
 */
const struct jobspec *previous_find(const struct run_options *options, const struct jobspec *job, const char *query,
                                    struct jobspecs *jobs, struct previous_file *ret_found, struct error *err);

/* What the Pushgateway sinks of those files left behind. */
struct former_groups {
	struct jobspecs *files;
	size_t files_count;
	struct former_group *groups;
	size_t count;
};
#define FORMER_GROUPS_MAX 64

/* The groups that files of this job (by namespace and name) name and it does not. Files that cannot be read now have
 * none. */
void former_groups_find(const struct run_options *options, const struct jobspec *job, struct former_groups *ret_former);
void former_groups_release(struct former_groups *former);

#endif
