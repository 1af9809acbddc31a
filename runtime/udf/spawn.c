#include "runtime/udf/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "runtime/udf/protocol.h"

/* One thread for the mathematics libraries: a worker is there for each lane already. */
static const char *const own_variables[] = {"OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1", "MKL_NUM_THREADS=1",
                                            "PYTHONUNBUFFERED=", "PYTHONFAULTHANDLER="};
#define OWN_VARIABLES (sizeof(own_variables) / sizeof(own_variables[0]))

/* This process's environment, with what it does not say itself. The caller frees the array. */
static char **make_environment(void)
{
	size_t count = 0, had;
	char **variables;

	while (environ[count])
		count++;
	variables = xcalloc(count + OWN_VARIABLES + 1, sizeof(*variables));
	memcpy(variables, environ, count * sizeof(*variables));
	had = count;
	for (size_t i = 0; i < OWN_VARIABLES; i++) {
		size_t name = (size_t)(strchr(own_variables[i], '=') - own_variables[i]) + 1;
		bool there = false;

		for (size_t v = 0; v < had; v++)
			there |= strncmp(environ[v], own_variables[i], name) == 0;
		if (!there)
			memcpy(&variables[count++], &own_variables[i], sizeof(char *));
	}
	return variables;
}

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

int spawn_worker(const char *path, bool native, const int places[SPAWN_PLACES], pid_t *ret_pid)
{
	char parent[32], name[] = "streamjob-worker", native_name[] = "native", python_name[] = "python";
	char *arguments[] = {name, parent, native ? native_name : python_name, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char **variables;
	int result;

	snprintf(parent, sizeof(parent), "%ld", (long)getpid());
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	variables = make_environment();
	result = prepare(&actions, &attributes, places);
	if (result == 0)
		result = posix_spawn(ret_pid, path, &actions, &attributes, arguments, variables);
	free(variables);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return result;
}
