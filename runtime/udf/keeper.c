#include "runtime/udf/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/process/pause.h"
#include "lib/process/system_clock.h"
#include "runtime/udf/scratch.h"
#include "runtime/udf/spawn.h"
#include "runtime/udf/wake.h"

#define DESCRIPTORS_FROM 16 /* above those that the worker has them at */
#define FLOOD_PAUSE_MS   1  /* a pipe's 64 KiB hold it meanwhile */

static _Atomic unsigned left_behind;

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void drop_scratch(struct keeper *keeper)
{
	if (atomic_exchange(&keeper->has_scratch, false))
		scratch_remove(keeper->scratch);
}

static void give_back(struct keeper *keeper)
{
	if (atomic_fetch_sub(&keeper->owners, 1) != 1)
		return;
	output_release(&keeper->output);
	close_fd(&keeper->memory_fd);
	close_fd(&keeper->write_ends[0]);
	close_fd(&keeper->write_ends[1]);
	close_fd(&keeper->pidfd);
	pthread_mutex_destroy(&keeper->mutex);
	drop_scratch(keeper);
	free(keeper->function);
	free(keeper->variables);
	free(keeper);
}

static void say(void *context, bool is_stderr, struct slice line)
{
	const struct keeper *keeper = context;
	struct log_site unlimited = {0}; /* the output has its own limit */

	if (atomic_load(&keeper->left))
		return;
	if (keeper->say)
		keeper->say(keeper->context, keeper->function, is_stderr, line);
	else
		log_write(&unlimited, LOG_LEVEL_INFO, "a function wrote",
		          "function=\"%s\" lane=%u stream=%s text=\"%.*s\"", keeper->function, keeper->lane,
		          is_stderr ? "stderr" : "stdout", SLICE_ARG(line));
}

/* The process, or errno. */
static int begin(struct keeper *keeper)
{
	const int places[SPAWN_PLACES] = {keeper->write_ends[0], keeper->write_ends[1], keeper->memory_fd};
	int result = spawn_worker(keeper->path, keeper->native, keeper->variables, places, &keeper->pid);

	close_fd(&keeper->write_ends[0]);
	close_fd(&keeper->write_ends[1]);
	close_fd(&keeper->memory_fd);
	if (result)
		return result;
	keeper->pidfd = pidfd_open(keeper->pid, 0);
	if (keeper->pidfd >= 0)
		return 0;
	result = errno;
	kill(keeper->pid, SIGKILL);
	waitpid(keeper->pid, NULL, 0);
	return result;
}

static void announce(_Atomic uint32_t *word)
{
	atomic_store(word, 1);
	wake_own(word);
}

static bool is_time(int64_t *looked_ns)
{
	int64_t now_ns = system_clock_ns();

	if (now_ns - *looked_ns < KEEPER_LOOK_MS * 1000000)
		return false;
	*looked_ns = now_ns;
	return true;
}

/* Until the process has ended. */
static void watch(struct keeper *keeper)
{
	struct output *output = &keeper->output;
	int64_t looked_ns = system_clock_ns();
	struct pollfd fds[] = {{.fd = output->streams[0].fd, .events = POLLIN},
	                       {.fd = output->streams[1].fd, .events = POLLIN},
	                       {.fd = keeper->pidfd, .events = POLLIN}};

	while (!fds[2].revents) {
		if (poll(fds, 3, KEEPER_LOOK_MS) < 0 && errno != EINTR)
			return;
		if (is_time(&looked_ns) && !keeper->why[0] && !fds[2].revents && keeper_is_over(keeper))
			kill(keeper->pid, SIGKILL); /* it is not reaped before this thread does it */
		for (int i = 0; i < 2; i++)
			if (fds[i].revents && !output_read(output, i))
				fds[i].fd = -1;
		if (output_floods(output))
			pause_ms(FLOOD_PAUSE_MS);
	}
}

static void reap(struct keeper *keeper)
{
	siginfo_t ended;

	waitid(P_PID, (id_t)keeper->pid, &ended, WEXITED | WNOWAIT); /* this may take long, what follows does not */
	pthread_mutex_lock(&keeper->mutex);
	waitpid(keeper->pid, &keeper->wait_status, 0);
	keeper->reaped = true;
	pthread_mutex_unlock(&keeper->mutex);
}

static void *run(void *argument)
{
	struct keeper *keeper = argument;

	keeper->start_errno = begin(keeper);
	announce(&keeper->started);
	if (!keeper->start_errno) {
		if (atomic_load(&keeper->left))
			kill(keeper->pid, SIGKILL);
		keeper_join(keeper);
		watch(keeper);
		keeper_part(keeper);
		output_drain(&keeper->output);
		reap(keeper);
	}
	drop_scratch(keeper);
	pthread_mutex_lock(&keeper->mutex);
	keeper->over = true;
	atomic_fetch_sub(&left_behind, atomic_load(&keeper->left));
	pthread_mutex_unlock(&keeper->mutex);
	announce(&keeper->ended);
	give_back(keeper);
	return NULL;
}

/* The same descriptor, where dup2 into the child cannot meet it. */
static int raise_fd(int fd)
{
	int raised = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, DESCRIPTORS_FROM);

	if (fd >= 0)
		close(fd);
	return raised;
}

static int make_pipes(struct keeper *keeper)
{
	for (int i = 0; i < 2; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC) < 0)
			return -1;
		keeper->output.streams[i].fd = raise_fd(ends[0]);
		keeper->write_ends[i] = raise_fd(ends[1]);
		if (keeper->output.streams[i].fd < 0 || keeper->write_ends[i] < 0 ||
		    fcntl(keeper->output.streams[i].fd, F_SETFL, O_NONBLOCK) < 0)
			return -1;
	}
	return 0;
}

/* Until *word is 1. */
static bool wait_for(_Atomic uint32_t *word, int64_t ms)
{
	int64_t deadline = system_clock_ns() + ms * 1000000, left;

	while (!atomic_load(word)) {
		left = deadline - system_clock_ns();
		if (left <= 0)
			return false;
		sleep_own(word, 0, left);
	}
	return true;
}

/* It goes on alone, and kills a process that it comes to have later. */
static void leave(struct keeper *keeper)
{
	pthread_mutex_lock(&keeper->mutex);
	if (!keeper->over) {
		atomic_store(&keeper->left, true);
		atomic_fetch_add(&left_behind, 1);
	}
	pthread_mutex_unlock(&keeper->mutex);
	pthread_detach(keeper->thread);
}

/* The thread, which all signals of ours pass by; errno. */
static int begin_thread(struct keeper *keeper)
{
	sigset_t all, before;
	int result;

	atomic_store(&keeper->owners, 2);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	result = pthread_create(&keeper->thread, NULL, run, keeper);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (result) {
		atomic_store(&keeper->owners, 1);
		return result;
	}
	if (wait_for(&keeper->started, KEEPER_SPAWN_MS)) {
		result = keeper->start_errno;
		if (result)
			pthread_join(keeper->thread, NULL);
		return result;
	}
	leave(keeper);
	if (atomic_load(&keeper->started))
		keeper_kill(keeper);
	return ETIMEDOUT;
}

static void make_scratch(struct keeper *keeper)
{
	scratch_make(keeper->scratch);
	if ((size_t)snprintf(keeper->tmpdir, sizeof(keeper->tmpdir), "TMPDIR=%s", keeper->scratch) <
	    sizeof(keeper->tmpdir)) {
		keeper->has_scratch = keeper->scratch[0] != '\0';
		return;
	}
	scratch_remove(keeper->scratch);
	keeper->scratch[0] = '\0';
}

struct keeper *keeper_start(const struct function_spec *spec, const struct udf_environment *environment,
                            const char *path, int memory_fd, struct error *err)
{
	struct keeper *keeper;
	int result;

	if (atomic_load(&left_behind) >= KEEPERS_LEFT_MAX) {
		error_set(err,
		          "%d processes of functions were killed and have not ended (a file system that does not "
		          "answer?): no more are started",
		          KEEPERS_LEFT_MAX);
		return NULL;
	}
	keeper = xcalloc(1, sizeof(*keeper));
	keeper->owners = 1;
	keeper->function = strdup(spec->name);
	snprintf(keeper->path, sizeof(keeper->path), "%s", path);
	make_scratch(keeper);
	keeper->variables = spawn_environment(&spec->env, keeper->scratch[0] ? keeper->tmpdir : NULL);
	keeper->native = spec->language == LANGUAGE_NATIVE;
	keeper->lane = environment->lane;
	keeper->memory_bytes = spec->memory_bytes;
	keeper->cgroup = environment->cgroup;
	keeper->say = environment->say;
	keeper->context = environment->context;
	keeper->write_ends[0] = keeper->write_ends[1] = keeper->pidfd = -1;
	keeper->memory_fd = fcntl(memory_fd, F_DUPFD_CLOEXEC, DESCRIPTORS_FROM);
	pthread_mutex_init(&keeper->mutex, NULL);
	output_init(&keeper->output, say, keeper);
	result = keeper->memory_fd < 0 || make_pipes(keeper) < 0 ? errno : begin_thread(keeper);
	if (!result)
		return keeper;
	error_set(err, "its process cannot be started: %s", strerror(result));
	give_back(keeper);
	return NULL;
}

void keeper_kill(struct keeper *keeper)
{
	if (pthread_mutex_trylock(&keeper->mutex))
		return; /* it is being reaped */
	if (!keeper->reaped) {
		kill(-keeper->pid, SIGKILL); /* its session */
		kill(keeper->pid, SIGKILL);
	}
	pthread_mutex_unlock(&keeper->mutex);
}

bool keeper_wait(struct keeper *keeper)
{
	if (wait_for(&keeper->ended, KEEPER_REAP_MS)) {
		pthread_join(keeper->thread, NULL);
		return true;
	}
	leave(keeper);
	log_warn("a function's process does not end though it was killed; it is left behind", "function=\"%s\" pid=%d",
	         keeper->function, atomic_load(&keeper->started) ? (int)keeper->pid : 0);
	return false;
}

void keeper_free(struct keeper *keeper)
{
	give_back(keeper);
}
