#include "runtime/udf/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "runtime/udf/protocol.h"

/* One thread for the mathematics libraries: a worker is there for each lane already. */
static const char *const own_variables[] = {"OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1", "MKL_NUM_THREADS=1",
                                            "PYTHONUNBUFFERED=", "PYTHONFAULTHANDLER="};
#define OWN_VARIABLES (sizeof(own_variables) / sizeof(own_variables[0]))

/* What a function may know without being named in the job: where programs and packages are, languages, time zones,
 * certificates, proxies, thread counts. Not what a pod is given for its own ends, which may be secrets. A name that
 * ends with * is the begin of names. */
static const char *const passed[] = {"PATH",
                                     "HOME",
                                     "HOSTNAME",
                                     "LANG",
                                     "LANGUAGE",
                                     "LC_*",
                                     "TZ",
                                     "TZDIR",
                                     "TMPDIR",
                                     "PYTHON*",
                                     "VIRTUAL_ENV",
                                     "STREAMJOB_PYTHON",
                                     "OPENBLAS_*",
                                     "OMP_*",
                                     "MKL_*",
                                     "NUMEXPR_*",
                                     "NUMBA_*",
                                     "LD_LIBRARY_PATH",
                                     "SSL_CERT_*",
                                     "MALLOC_*",
                                     "MIMALLOC_*",
                                     "CURL_CA_BUNDLE",
                                     "REQUESTS_CA_BUNDLE",
                                     "HTTP_PROXY",
                                     "HTTPS_PROXY",
                                     "NO_PROXY",
                                     "ALL_PROXY",
                                     "http_proxy",
                                     "https_proxy",
                                     "no_proxy",
                                     "all_proxy",
                                     "MPLCONFIGDIR",
                                     "XDG_CACHE_HOME"};

static bool is_named(const char *variable, size_t size, const char *name)
{
	size_t length = strlen(name);

	if (length && name[length - 1] == '*')
		return size >= length - 1 && strncmp(variable, name, length - 1) == 0;
	return size == length && strncmp(variable, name, size) == 0;
}

static bool is_passed(const char *variable, const struct names *names)
{
	size_t size = strcspn(variable, "=");

	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		if (is_named(variable, size, passed[i]))
			return true;
	for (size_t i = 0; i < names->count; i++)
		if (size == strlen(names->items[i]) && strncmp(variable, names->items[i], size) == 0)
			return true;
	return false;
}

static bool same_name(const char *variable, const char *other)
{
	size_t size = strcspn(variable, "=");

	return size == strcspn(other, "=") && strncmp(variable, other, size) == 0;
}

char **spawn_environment(const struct names *names, char *first)
{
	size_t count = 0, had;
	char **variables;

	while (environ[count])
		count++;
	variables = xcalloc(count + OWN_VARIABLES + 2, sizeof(*variables));
	had = 0;
	if (first)
		variables[had++] = first;
	for (size_t i = 0; i < count; i++)
		if (is_passed(environ[i], names) && !(first && same_name(environ[i], first)))
			variables[had++] = environ[i];
	count = had;
	for (size_t i = 0; i < OWN_VARIABLES; i++) {
		size_t name = (size_t)(strchr(own_variables[i], '=') - own_variables[i]) + 1;
		bool there = false;

		for (size_t v = 0; v < had; v++)
			there |= strncmp(variables[v], own_variables[i], name) == 0;
		if (!there)
			memcpy(&variables[count++], &own_variables[i], sizeof(char *));
	}
	return variables;
}

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, const int places[SPAWN_PLACES])
{
	static const int there[SPAWN_PLACES] = {STDOUT_FILENO, STDERR_FILENO, UDF_FD_MEMORY};
	sigset_t none, all;
	int result = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	for (size_t i = 0; result == 0 && i < SPAWN_PLACES; i++)
		result = posix_spawn_file_actions_adddup2(actions, places[i], there[i]);
	if (result == 0)
		result = posix_spawn_file_actions_addclosefrom_np(actions, UDF_FD_MEMORY + 1);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return result;
}

int spawn_worker(const char *path, bool native, char *const *variables, const int places[SPAWN_PLACES], pid_t *ret_pid)
{
	char parent[32], name[] = "streamjob-worker", native_name[] = "native", python_name[] = "python";
	char *arguments[] = {name, parent, native ? native_name : python_name, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int result;

	snprintf(parent, sizeof(parent), "%ld", (long)getpid());
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	result = prepare(&actions, &attributes, places);
	if (result == 0)
		result = posix_spawn(ret_pid, path, &actions, &attributes, arguments, variables);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return result;
}

long spawn_landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);

	return version > 0 ? version : 0;
}
