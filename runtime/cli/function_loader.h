/*
 * The user's functions on the command line: where their code is, and what `validate` and `explain` find out by loading
 * it in a worker.
 */
#ifndef STREAMJOB_CLI_FUNCTION_LOADER_H
#define STREAMJOB_CLI_FUNCTION_LOADER_H

#include "runtime/cli/cli.h"
#include "runtime/pipeline/functions.h"

/* With the folder of `--functions-dir`, or that of the environment, or the default. */
struct udf_environment cli_environment(const char *functions_dir);

/* For jobspecs_load_calling: keeps what it has learnt until the release. */
struct cli_loader {
	struct udf_environment environment;
	struct udf_signature **signatures;
	size_t count;
};
void cli_loader_init(struct cli_loader *loader, const char *functions_dir);
struct function_loader cli_loader_hook(struct cli_loader *loader);
void cli_loader_release(struct cli_loader *loader);

/* Before the first function: nobody but root opens this process's memory, descriptors and environment from here on, so
 * that a function's process of the same user does not either where the kernel has no Landlock. There are no core dumps
 * then. */
void cli_shut_memory(void);

#endif
