/* The process of a worker and what it shares with this one. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "runtime/udf/life.h"

/* Of fixed size and sealed so: the worker can neither cut it under us nor make it grow. The descriptor, or -1. */
static int make_memory(struct udf_worker *worker)
{
	int fd = memfd_create("streamjob-worker", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *memory = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, UDF_SHARED_BYTES) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		memory = mmap(NULL, UDF_SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory != MAP_FAILED) {
		worker->control = memory;
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
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
	char path[PATH_MAX];
	int memory_fd;

	pthread_mutex_init(&worker->mutex, NULL);
	arena_init(&worker->arena);
	if (worker->spec->isolation == ISOLATION_IN_PROCESS && worker->spec->language == LANGUAGE_NATIVE)
		return begin_inside(worker, err);
	if (find_worker(&worker->environment, path, sizeof(path), err) < 0)
		return -1;
	memory_fd = make_memory(worker);
	if (memory_fd < 0)
		return error_set(err, "there is no memory to share with its process: %s", strerror(errno));
	worker->keeper = keeper_start(worker->spec, &worker->environment, path, memory_fd, err);
	close(memory_fd);
	return worker->keeper ? 0 : -1;
}

int life_look_back(struct udf_worker *worker, struct buffer *ret_tail, struct buffer *ret_why)
{
	struct keeper *keeper = worker->keeper;
	int status;

	if (!keeper)
		return -1;
	keeper_kill(keeper);
	status = keeper_wait(keeper) ? keeper->wait_status : -1;
	if (ret_why && status >= 0)
		buffer_append_text(ret_why, keeper->why);
	if (ret_tail)
		output_tail(&keeper->output, ret_tail);
	keeper_free(keeper);
	worker->keeper = NULL;
	return status;
}

int life_end(struct udf_worker *worker, struct buffer *ret_tail)
{
	return life_look_back(worker, ret_tail, NULL);
}

void life_release(struct udf_worker *worker)
{
	life_end(worker, NULL);
	if (worker->inside)
		serve_release(worker->inside, &native_language);
	free(worker->inside);
	if (worker->control)
		munmap(worker->control, UDF_SHARED_BYTES);
	pthread_mutex_destroy(&worker->mutex);
	arena_release(&worker->arena);
	free(worker->reply);
	free(worker);
}
