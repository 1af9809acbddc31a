/* Where the worker program and the Python packages are: beside this program, installed, or in the source tree. */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/error.h"
#include "runtime/udf/life.h"

#define PLACES_MAX 6

/* The folder of this program. */
static int own_folder(char *out, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", out, size - 1);
	char *slash;

	if (length < 0)
		return -1;
	out[length] = '\0';
	slash = strrchr(out, '/');
	if (!slash)
		return -1;
	*slash = '\0';
	return 0;
}

static int find(const char *given, const char *const *places, const char *what, char *out, size_t size,
                struct error *err)
{
	char folder[PATH_MAX];

	if (given) {
		if (access(given, R_OK) == 0 && (size_t)snprintf(out, size, "%s", given) < size)
			return 0;
		return error_set(err, "%s is not at %s", what, given);
	}
	if (own_folder(folder, sizeof(folder)) < 0)
		return error_set(err, "%s cannot be looked for: /proc is not there", what);
	for (size_t i = 0; places[i]; i++)
		if ((size_t)snprintf(out, size, "%s/%s", folder, places[i]) < size && access(out, R_OK) == 0)
			return 0;
	return error_set(err, "%s is neither beside %s nor installed with it; install StreamJob whole (make install)",
	                 what, folder);
}

int find_worker(const struct udf_environment *environment, char *out, size_t size, struct error *err)
{
	static const char *const places[] = {"streamjob-worker", "../libexec/streamjob/streamjob-worker", NULL};

	return find(environment->worker_path, places, "streamjob-worker", out, size, err);
}

int find_packages(const struct udf_environment *environment, char *out, size_t size, struct error *err)
{
	/* installed; then build/release and build/san-… of the source tree */
	static const char *const places[] = {"../lib/streamjob/python", "../../python", NULL};

	return find(environment->python_path, places, "the Python package of StreamJob", out, size, err);
}
