#include "runtime/cli/function_loader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"

void cli_shut_memory(void)
{
#ifndef __SANITIZE_ADDRESS__ /* its search for leaks traces this process */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		log_warn("this process's memory is open to others of its user", "error=\"%s\"", strerror(errno));
#endif
}

struct udf_environment cli_environment(const char *functions_dir)
{
	const char *folder = functions_dir ? functions_dir : getenv("STREAMJOB_FUNCTIONS_DIR");

	return (struct udf_environment){.functions_folder = folder && *folder ? folder : NULL};
}

void cli_loader_init(struct cli_loader *loader, const char *functions_dir)
{
	cli_shut_memory();
	*loader = (struct cli_loader){.environment = cli_environment(functions_dir)};
}

/* Starts a worker, asks what the function is, and ends it. */
static int load(void *context, const struct function_spec *spec, struct user_function *ret_function, struct error *err)
{
	struct cli_loader *loader = context;
	struct udf_signature *signature = xcalloc(1, sizeof(*signature));
	struct udf_failure failure;
	struct udf_worker *worker = udf_start(spec, &loader->environment, signature, &failure);

	if (!worker) {
		free(signature);
		return error_set(err, "%s", failure.text);
	}
	udf_stop(worker, NULL);
	loader->signatures = xrealloc(loader->signatures, (loader->count + 1) * sizeof(*loader->signatures));
	loader->signatures[loader->count++] = signature;
	*ret_function = functions_known(spec, signature);
	return 0;
}

struct function_loader cli_loader_hook(struct cli_loader *loader)
{
	return (struct function_loader){load, loader};
}

void cli_loader_release(struct cli_loader *loader)
{
	for (size_t i = 0; i < loader->count; i++) {
		udf_signature_release(loader->signatures[i]);
		free(loader->signatures[i]);
	}
	free(loader->signatures);
	loader->signatures = NULL;
	loader->count = 0;
}
