/* The process of a worker and what it shares with this one. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "runtime/udf/life.h"

#define DESCRIPTORS_FROM 16 /* above those that the worker has them at */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The same descriptor, where dup2 into the child cannot meet it. */
static int raise_fd(int fd)
{
	int raised;

	if (fd < 0)
		return -1;
	raised = fcntl(fd, F_DUPFD_CLOEXEC, DESCRIPTORS_FROM);
	close(fd);
	return raised;
}

/* Of fixed size and sealed so: the worker can neither cut it under us nor make it grow. */
static int make_memory(struct udf_worker *worker)
{
	void *memory;

	worker->memory_fd = raise_fd(memfd_create("streamjob-worker", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	if (worker->memory_fd < 0 || ftruncate(worker->memory_fd, UDF_SHARED_BYTES) < 0 ||
	    fcntl(worker->memory_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -1;
	memory = mmap(NULL, UDF_SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, worker->memory_fd, 0);
	if (memory == MAP_FAILED)
		return -1;
	worker->control = memory;
	return 0;
}

static int make_pipes(struct keeper *keeper)
{
	for (int i = 0; i < 2; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC) < 0)
			return -1;
		keeper->outputs[i] = (struct output){.fd = raise_fd(ends[0]), .is_stderr = i == 1};
		keeper->write_ends[i] = raise_fd(ends[1]);
		if (keeper->outputs[i].fd < 0 || keeper->write_ends[i] < 0 ||
		    fcntl(keeper->outputs[i].fd, F_SETFL, O_NONBLOCK) < 0)
			return -1;
	}
	return 0;
}

static int make_descriptors(struct udf_worker *worker)
{
	worker->request_fd = raise_fd(eventfd(0, EFD_CLOEXEC));
	worker->reply_fd = raise_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	return worker->request_fd < 0 || worker->reply_fd < 0 ? -1 : make_pipes(&worker->keeper);
}

static void init(struct udf_worker *worker)
{
	struct keeper *keeper = &worker->keeper;

	worker->memory_fd = worker->request_fd = worker->reply_fd = -1;
	keeper->pidfd = keeper->outputs[0].fd = keeper->outputs[1].fd = -1;
	keeper->write_ends[0] = keeper->write_ends[1] = -1;
	keeper->joined = true;
	pthread_mutex_init(&worker->mutex, NULL);
	pthread_mutex_init(&keeper->mutex, NULL);
	pthread_cond_init(&keeper->started, NULL);
	arena_init(&worker->arena);
}

/* The keeper, which starts the process; all signals of ours go to other threads. */
static int begin_keeper(struct udf_worker *worker)
{
	struct keeper *keeper = &worker->keeper;
	sigset_t all, before;
	int result;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	result = pthread_create(&keeper->thread, NULL, keeper_run, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (result != 0) {
		errno = result;
		return -1;
	}
	keeper->joined = false;
	pthread_mutex_lock(&keeper->mutex);
	while (!keeper->is_started)
		pthread_cond_wait(&keeper->started, &keeper->mutex);
	pthread_mutex_unlock(&keeper->mutex);
	if (keeper->start_errno) {
		pthread_join(keeper->thread, NULL);
		keeper->joined = true;
		errno = keeper->start_errno;
		return -1;
	}
	return 0;
}

/* The same memory, but nobody shares it. */
static int begin_inside(struct udf_worker *worker, struct error *err)
{
	void *memory = mmap(NULL, UDF_SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
	                    -1, 0);

	if (memory == MAP_FAILED)
		return error_set(err, "there is no memory for its requests: %s", strerror(errno));
	worker->control = memory;
	worker->inside = xmalloc(sizeof(*worker->inside));
	serve_init(worker->inside, worker->control);
	return 0;
}

int life_begin(struct udf_worker *worker, struct error *err)
{
	init(worker);
	if (worker->spec->isolation == ISOLATION_IN_PROCESS && worker->spec->language == LANGUAGE_NATIVE)
		return begin_inside(worker, err);
	if (make_memory(worker) == 0 && make_descriptors(worker) == 0 && begin_keeper(worker) == 0)
		return 0;
	return error_set(err, "its process cannot be started: %s", strerror(errno));
}

void life_end(struct udf_worker *worker)
{
	struct keeper *keeper = &worker->keeper;

	if (keeper->joined)
		return;
	kill(-keeper->pid, SIGKILL); /* its session: not reaped before the keeper ends, so the number is its own */
	kill(keeper->pid, SIGKILL);
	pthread_join(keeper->thread, NULL);
	keeper->joined = true;
}

void life_release(struct udf_worker *worker)
{
	struct keeper *keeper = &worker->keeper;

	life_end(worker);
	if (worker->inside)
		serve_release(worker->inside, &native_language);
	free(worker->inside);
	if (worker->control)
		munmap(worker->control, UDF_SHARED_BYTES);
	close_fd(&worker->memory_fd);
	close_fd(&worker->request_fd);
	close_fd(&worker->reply_fd);
	close_fd(&keeper->pidfd);
	for (int i = 0; i < 2; i++) {
		close_fd(&keeper->outputs[i].fd);
		close_fd(&keeper->write_ends[i]);
	}
	pthread_mutex_destroy(&worker->mutex);
	pthread_mutex_destroy(&keeper->mutex);
	pthread_cond_destroy(&keeper->started);
	arena_release(&worker->arena);
	free(worker->reply);
	free(worker);
}
