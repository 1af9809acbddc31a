/* The loop of streamjob-worker: wait, read, call, answer. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/spec/field/function_spec.h"
#include "runtime/udf/wake.h"
#include "runtime/worker/worker.h"

#define STACK_BYTES (1u << 20) /* of a thread of the user's: a pool of 32 fits into 64 MiB */
#define ARGUMENTS   3          /* the runtime's process, the language */

/* The number of the next request. */
static uint32_t next_request(struct worker *worker, const struct language *language, uint32_t done)
{
	uint32_t number;

	if (language->wait_begins)
		language->wait_begins();
	while ((number = atomic_load(&worker->control->request_number)) == done)
		sleep_shared(&worker->control->request_number, done);
	if (language->wait_ends)
		language->wait_ends();
	return number;
}

static void serve(struct worker *worker, const struct language *language)
{
	uint32_t done = 0;
	bool ended = false;

	while (!ended) {
		done = next_request(worker, language, done);
		ended = worker->control->op == OP_CLOSE;
		serve_request(worker, language, done);
		wake_shared(&worker->control->reply_number);
	}
}

int main(int argc, char **argv)
{
	struct udf_control *control;
	struct worker worker;
	pthread_attr_t thread;

	if (argc < ARGUMENTS) {
		fputs("streamjob-worker runs a user's function for streamjob, which starts it; it has no use of its "
		      "own\n",
		      stderr);
		return 2;
	}
	pthread_attr_init(&thread);
	pthread_attr_setstacksize(&thread, STACK_BYTES);
	pthread_setattr_default_np(&thread);
	if (sandbox_begin(strtol(argv[1], NULL, 10)) < 0)
		return UDF_EXIT_SANDBOX;
	control = mmap(NULL, UDF_SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, UDF_FD_MEMORY, 0);
	if (control == MAP_FAILED || close(UDF_FD_MEMORY) < 0)
		return UDF_EXIT_SANDBOX;
	/* the request is the runtime's: who writes there stops at once */
	if (mprotect(udf_request_area(control), UDF_REQUEST_BYTES_MAX, PROT_READ) < 0)
		return UDF_EXIT_SANDBOX;
	serve_init(&worker, control);
	worker.sandbox_close = sandbox_close;
	worker.sandbox_limit = sandbox_limit;
	serve(&worker, strcmp(argv[2], "native") == 0 ? &native_language : &python_language);
	fflush(NULL);
	_exit(0); /* no atexit of the user's, no finalizing of the interpreter: the runtime waits */
}
