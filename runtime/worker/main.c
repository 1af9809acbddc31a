/* The loop of streamjob-worker: wait, read, call, answer. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/jobspec/function_spec.h"
#include "runtime/worker/worker.h"

#define ARGUMENTS 3 /* the runtime's process, the language */

static bool signalled(int fd)
{
	uint64_t count;
	ssize_t got;

	do {
		got = read(fd, &count, sizeof(count));
	} while (got < 0 && errno == EINTR);
	return got == (ssize_t)sizeof(count);
}

static bool signal_runtime(void)
{
	uint64_t one = 1;

	return write(UDF_FD_REPLY, &one, sizeof(one)) == (ssize_t)sizeof(one);
}

static int serve(struct worker *worker, const struct language *language)
{
	uint64_t done = 0;

	for (;;) {
		bool ended = false, awake;
		uint64_t sequence;

		if (language->wait_begins)
			language->wait_begins();
		awake = signalled(UDF_FD_REQUEST);
		if (language->wait_ends)
			language->wait_ends();
		if (!awake)
			return UDF_EXIT_DESCRIPTORS;
		sequence = atomic_load(&worker->control->sequence);
		if (sequence == done)
			continue;
		done = sequence;
		ended = worker->control->op == OP_CLOSE;
		serve_request(worker, language, sequence);
		if (!signal_runtime())
			return UDF_EXIT_DESCRIPTORS;
		if (ended)
			return 0;
	}
}

int main(int argc, char **argv)
{
	struct udf_control *control;
	struct worker worker;
	int code;

	if (argc < ARGUMENTS) {
		fputs("streamjob-worker runs a user's function for streamjob, which starts it; it has no use of its "
		      "own\n",
		      stderr);
		return 2;
	}
	if (sandbox_begin(strtol(argv[1], NULL, 10)) < 0)
		return UDF_EXIT_SANDBOX;
	control = mmap(NULL, UDF_SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, UDF_FD_MEMORY, 0);
	if (control == MAP_FAILED)
		return UDF_EXIT_SANDBOX;
	/* the request is the runtime's: who writes there stops at once */
	if (mprotect(udf_request_area(control), UDF_REQUEST_BYTES_MAX, PROT_READ) < 0)
		return UDF_EXIT_SANDBOX;
	serve_init(&worker, control);
	worker.sandbox_close = sandbox_close;
	code = serve(&worker, strcmp(argv[2], "native") == 0 ? &native_language : &python_language);
	fflush(NULL);
	_exit(code); /* no atexit of the user's, no finalizing of the interpreter: the runtime waits */
}
