/* The keeper of a worker: see life.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "runtime/udf/life.h"

#define READ_BYTES  16384
#define DRAIN_READS 64 /* after the process has ended: a pipe holds no more */

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

static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, const struct udf_worker *worker)
{
	const int places[][2] = {{worker->keeper.write_ends[0], STDOUT_FILENO},
	                         {worker->keeper.write_ends[1], STDERR_FILENO},
	                         {worker->memory_fd, UDF_FD_MEMORY},
	                         {worker->request_fd, UDF_FD_REQUEST},
	                         {worker->reply_fd, UDF_FD_REPLY}};
	sigset_t none, all;
	int result = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	for (size_t i = 0; result == 0 && i < sizeof(places) / sizeof(places[0]); i++)
		result = posix_spawn_file_actions_adddup2(actions, places[i][0], places[i][1]);
	if (result == 0)
		result = posix_spawn_file_actions_addclosefrom_np(actions, UDF_FD_REPLY + 1);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return result;
}

static int spawn(struct udf_worker *worker, pid_t *ret_pid)
{
	char path[PATH_MAX], parent[32];
	char name[] = "streamjob-worker", native[] = "native", python[] = "python";
	char *arguments[] = {name, parent, worker->spec->language == LANGUAGE_NATIVE ? native : python, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char **variables;
	struct error err;
	int result;

	if (find_worker(&worker->environment, path, sizeof(path), &err) < 0)
		return ENOENT;
	snprintf(parent, sizeof(parent), "%ld", (long)getpid());
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	variables = make_environment();
	result = prepare(&actions, &attributes, worker);
	if (result == 0)
		result = posix_spawn(ret_pid, path, &actions, &attributes, arguments, variables);
	free(variables);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return result;
}

static int begin(struct udf_worker *worker)
{
	struct keeper *keeper = &worker->keeper;
	pid_t pid = 0;
	int result = spawn(worker, &pid), pidfd = -1;

	for (int i = 0; i < 2; i++) {
		close(keeper->write_ends[i]);
		keeper->write_ends[i] = -1;
	}
	if (result == 0) {
		pidfd = pidfd_open(pid, 0);
		if (pidfd < 0) {
			result = errno;
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
	}
	pthread_mutex_lock(&keeper->mutex);
	keeper->is_started = true;
	keeper->start_errno = result;
	keeper->pid = pid;
	keeper->pidfd = pidfd;
	pthread_cond_signal(&keeper->started);
	pthread_mutex_unlock(&keeper->mutex);
	return result;
}

static void say(struct udf_worker *worker, bool is_stderr, struct slice line)
{
	const struct udf_environment *environment = &worker->environment;
	struct log_site unlimited = {0}; /* the keeper has its own limit */

	if (environment->say)
		environment->say(environment->context, worker->spec, is_stderr, line);
	else
		log_write(&unlimited, LOG_LEVEL_INFO, "a function wrote",
		          "function=\"%s\" lane=%u stream=%s text=\"%.*s\"", worker->spec->name, environment->lane,
		          is_stderr ? "stderr" : "stdout", SLICE_ARG(line));
}

static void say_left_out(struct udf_worker *worker)
{
	struct keeper *keeper = &worker->keeper;
	char text[96];

	if (!keeper->left_out)
		return;
	snprintf(text, sizeof(text), "(%u more lines within a second were left out)", keeper->left_out);
	keeper->left_out = 0;
	say(worker, true, slice_of(text));
}

static void line_ends(struct udf_worker *worker, struct output *output)
{
	struct keeper *keeper = &worker->keeper;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (now.tv_sec != keeper->second) {
		say_left_out(worker);
		keeper->second = now.tv_sec;
		keeper->lines = 0;
	}
	if (keeper->lines++ < UDF_LINES_MAX)
		say(worker, output->is_stderr, (struct slice){output->line, output->size});
	else
		keeper->left_out++;
	output->size = 0;
}

static void add_to_tail(struct keeper *keeper, const char *bytes, size_t size)
{
	pthread_mutex_lock(&keeper->mutex);
	for (size_t i = 0; i < size; i++)
		keeper->tail[keeper->tail_written++ % TAIL_BYTES_MAX] = bytes[i];
	pthread_mutex_unlock(&keeper->mutex);
}

/* What is there now, once. false: the other end is closed, or nothing is there. */
static bool read_once(struct udf_worker *worker, struct output *output, bool *ret_closed)
{
	char bytes[READ_BYTES];
	ssize_t got = read(output->fd, bytes, sizeof(bytes));

	*ret_closed = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
	if (got <= 0)
		return false;
	if (output->is_stderr)
		add_to_tail(&worker->keeper, bytes, (size_t)got);
	for (ssize_t i = 0; i < got; i++) {
		if (bytes[i] != '\n')
			output->line[output->size++] = bytes[i] ? bytes[i] : ' '; /* a NUL would end the text */
		if (bytes[i] == '\n' || output->size == LINE_BYTES_MAX)
			line_ends(worker, output);
	}
	return true;
}

static void drain(struct udf_worker *worker)
{
	for (int i = 0; i < 2; i++) {
		struct output *output = &worker->keeper.outputs[i];
		bool closed = false;

		for (int reads = 0; reads < DRAIN_READS && read_once(worker, output, &closed); reads++)
			;
		if (output->size)
			line_ends(worker, output);
	}
	say_left_out(worker);
}

void *keeper_run(void *argument)
{
	struct udf_worker *worker = argument;
	struct keeper *keeper = &worker->keeper;
	struct pollfd fds[3];
	bool alive = begin(worker) == 0;

	if (!alive)
		return NULL;
	for (int i = 0; i < 2; i++)
		fds[i] = (struct pollfd){.fd = keeper->outputs[i].fd, .events = POLLIN};
	fds[2] = (struct pollfd){.fd = keeper->pidfd, .events = POLLIN};
	while (alive) {
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			break;
		for (int i = 0; i < 2; i++) {
			bool closed = false;

			if (fds[i].revents)
				read_once(worker, &keeper->outputs[i], &closed);
			if (closed)
				fds[i].fd = -1;
		}
		alive = !fds[2].revents;
	}
	drain(worker);
	waitpid(keeper->pid, &keeper->wait_status, 0);
	return NULL;
}

void keeper_tail(struct keeper *keeper, struct buffer *out)
{
	size_t size, from;

	pthread_mutex_lock(&keeper->mutex);
	size = keeper->tail_written < TAIL_BYTES_MAX ? keeper->tail_written : TAIL_BYTES_MAX;
	from = keeper->tail_written - size;
	for (size_t i = 0; i < size; i++)
		buffer_append_char(out, keeper->tail[(from + i) % TAIL_BYTES_MAX]);
	pthread_mutex_unlock(&keeper->mutex);
	while (out->size && out->data[out->size - 1] == '\n')
		out->data[--out->size] = '\0';
}
