/*
 * One request and its reply, under a deadline. Three things can happen: the reply comes, the process ends, the time is
 * up; poll waits for whichever is first, and after the last two there is no process any more.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "lib/process/system_clock.h"
#include "runtime/udf/life.h"

#define WHERE_WAIT_MS 200 /* for the traceback of a function that hangs, before it is killed */

static const char *const method_names[UDF_METHODS] = {
        [METHOD_START] = "start",
        [METHOD_IMPORT] = "import",
        [METHOD_OPEN] = "open",
        [METHOD_EVAL] = "eval",
        [METHOD_CREATE_ACCUMULATOR] = "create_accumulator",
        [METHOD_ACCUMULATE] = "accumulate",
        [METHOD_GET_VALUE] = "get_value",
        [METHOD_EMIT_VALUE] = "emit_value",
        [METHOD_SAVE] = "save",
        [METHOD_LOAD] = "load",
        [METHOD_MERGE] = "merge",
        [METHOD_CLOSE] = "close",
};

const char *udf_method_name(enum udf_method method)
{
	return (unsigned)method < UDF_METHODS ? method_names[method] : "?";
}

const char *udf_reason_name(enum udf_reason reason)
{
	static const char *const names[UDF_REASONS] = {"timeout", "crash", "memory", "protocol", "start"};

	return names[reason];
}

void call_forget(struct udf_worker *worker)
{
	arena_reset(&worker->arena);
	worker->answered_bytes = 0;
}

void call_begin(struct udf_worker *worker)
{
	worker->request = (struct wire_out){.data = udf_request_area(worker->control), .max = UDF_REQUEST_BYTES_MAX};
}

int worker_fail(struct udf_worker *worker, enum udf_reason reason, uint32_t row, const char *what,
                struct udf_failure *ret_failure)
{
	struct udf_failure *failure = &worker->failure;
	uint32_t method = atomic_load_explicit(&worker->control->method, memory_order_relaxed);
	struct udf_counts *counts = worker->environment.counts;
	struct buffer tail;
	int size;

	life_end(worker);
	*failure = (struct udf_failure){.reason = reason,
	                                .function = worker->spec->name,
	                                .method = udf_method_name((enum udf_method)method),
	                                .row = row};
	size = snprintf(failure->text, sizeof(failure->text), "function %s, %s: %s", failure->function, failure->method,
	                what);
	buffer_init(&tail);
	keeper_tail(&worker->keeper, &tail);
	if (tail.size && (size_t)size < sizeof(failure->text))
		snprintf(failure->text + size, sizeof(failure->text) - (size_t)size, "\nstderr ends with:\n%s",
		         tail.data);
	buffer_release(&tail);
	worker->dead = true;
	if (counts)
		atomic_fetch_add(&counts->failures[reason], 1);
	*ret_failure = *failure;
	return -1;
}

/* How the process ended, in words; SIGKILL that is not ours is the kernel's, for want of memory. */
static enum udf_reason say_end(int status, char *out, size_t size)
{
	int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (number == SIGKILL) {
		snprintf(out, size,
		         "the process was killed from outside, most often for want of memory in the container");
		return UDF_MEMORY;
	}
	if (number)
		snprintf(out, size, "the process crashed: %s", strsignal(number));
	else if (WEXITSTATUS(status) == UDF_EXIT_DESCRIPTORS)
		snprintf(out, size, "the function closed the worker's own descriptors");
	else if (WEXITSTATUS(status) == UDF_EXIT_SANDBOX)
		snprintf(out, size, "the worker cannot set up its sandbox (no_new_privs, rlimits, shared memory)");
	else
		snprintf(out, size, "the process ended by itself, with exit code %d", WEXITSTATUS(status));
	return UDF_CRASH;
}

/* The row of the batch where the worker was; never trusted beyond its bounds. */
static uint32_t row_now(const struct udf_worker *worker, const uint32_t *rows, size_t n)
{
	uint32_t row = atomic_load_explicit(&worker->control->row, memory_order_relaxed);

	return row < n ? rows[row] : UDF_NO_ROW;
}

static int has_ended(struct udf_worker *worker, uint32_t row, struct udf_failure *ret_failure)
{
	char what[256];
	enum udf_reason reason;

	pthread_join(worker->keeper.thread, NULL);
	worker->keeper.joined = true;
	reason = say_end(worker->keeper.wait_status, what, sizeof(what));
	return worker_fail(worker, reason, row, what, ret_failure);
}

static int too_late(struct udf_worker *worker, enum udf_op op, int64_t timeout_ms, uint32_t row,
                    struct udf_failure *ret_failure)
{
	const char *limit = op == OP_START ? "startTimeout" : op == OP_CLOSE ? "the time to close" : "timeout";
	struct pollfd ended = {.fd = worker->keeper.pidfd, .events = POLLIN};
	char what[256], at[48] = "";

	if (worker->spec->language == LANGUAGE_PYTHON) { /* the interpreter then says on stderr where it is */
		pidfd_send_signal(worker->keeper.pidfd, SIGUSR2, NULL, 0);
		poll(&ended, 1, WHERE_WAIT_MS);
	}
	if (row != UDF_NO_ROW)
		snprintf(at, sizeof(at), ", at row %" PRIu32 " of the batch", row);
	snprintf(what, sizeof(what), "did not come back within %s (%" PRId64 " ms)%s; the worker was killed", limit,
	         timeout_ms, at);
	return worker_fail(worker, UDF_TIMEOUT, row, what, ret_failure);
}

/* 1: the reply of this request is there. 0: it was some other wake. -1: none is coming. */
static int wait_once(struct udf_worker *worker, int64_t left_ns, bool *ret_ended)
{
	struct pollfd fds[2] = {{.fd = worker->reply_fd, .events = POLLIN},
	                        {.fd = worker->keeper.pidfd, .events = POLLIN}};
	struct timespec left = {left_ns / 1000000000, left_ns % 1000000000};
	int ready = ppoll(fds, 2, &left, NULL);
	uint64_t count;

	*ret_ended = false;
	if (ready <= 0)
		return 0;
	if (fds[0].revents && read(worker->reply_fd, &count, sizeof(count)) == (ssize_t)sizeof(count) &&
	    atomic_load(&worker->control->reply_sequence) == worker->sequence)
		return 1;
	*ret_ended = fds[1].revents != 0;
	return *ret_ended ? -1 : 0;
}

static int copy_reply(struct udf_worker *worker, struct udf_failure *ret_failure)
{
	uint32_t size = atomic_load_explicit(&worker->control->reply_bytes, memory_order_relaxed);

	if (size > UDF_REPLY_BYTES_MAX)
		return call_garbled(worker, ret_failure);
	worker->answered_bytes += size;
	if (worker->answered_bytes > UDF_ANSWERS_BYTES_MAX)
		return worker_fail(worker, UDF_MEMORY, UDF_NO_ROW,
		                   "its answers for one batch are larger than they may be together (256 MiB)",
		                   ret_failure);
	if (size > worker->reply_capacity) {
		free(worker->reply);
		worker->reply = xmalloc(size);
		worker->reply_capacity = size;
	}
	if (size)
		memcpy(worker->reply, udf_reply_area(worker->control), size);
	worker->in = (struct wire_in){.data = worker->reply ? worker->reply : "", .size = size};
	return 0;
}

int call_garbled(struct udf_worker *worker, struct udf_failure *ret_failure)
{
	return worker_fail(
	        worker, UDF_PROTOCOL, UDF_NO_ROW,
	        "its answer makes no sense: the function wrote over the memory that it shares with the runtime",
	        ret_failure);
}

static int look_at(struct udf_worker *worker, enum udf_op op, uint32_t row, struct udf_failure *ret_failure)
{
	char what[UDF_REASON_BYTES_MAX + 128];
	struct slice text;

	switch (atomic_load_explicit(&worker->control->reply_status, memory_order_relaxed)) {
	case REPLY_OK:
		return copy_reply(worker, ret_failure);
	case REPLY_EXHAUSTED:
		if (copy_reply(worker, ret_failure) < 0)
			return -1;
		text = wire_take_text(&worker->in);
		snprintf(what, sizeof(what),
		         "needs more than its memory (%" PRId64 " bytes); keep less, or raise memory\n%.*s",
		         worker->spec->memory_bytes, SLICE_ARG(text));
		return worker_fail(worker, UDF_MEMORY, row, what, ret_failure);
	case REPLY_TOO_LARGE:
		if (op == OP_SAVE || op == OP_VALUES || op == OP_EMIT)
			return CALL_TOO_LARGE;
		snprintf(what, sizeof(what), "yields more than %u bytes for one batch", UDF_REPLY_BYTES_MAX);
		return worker_fail(worker, UDF_MEMORY, row, what, ret_failure);
	case REPLY_ERROR:
		if (copy_reply(worker, ret_failure) < 0)
			return -1;
		text = wire_take_text(&worker->in);
		snprintf(what, sizeof(what), "%.*s", SLICE_ARG(text));
		return worker_fail(worker,
		                   op == OP_START   ? UDF_START
		                   : op == OP_CLOSE ? UDF_CRASH
		                                    : UDF_PROTOCOL,
		                   row, what, ret_failure);
	default:
		return call_garbled(worker, ret_failure);
	}
}

static int send_request(struct udf_worker *worker, enum udf_op op)
{
	struct udf_control *control = worker->control;
	uint64_t one = 1;

	control->op = op;
	control->request_bytes = (uint32_t)worker->request.size;
	atomic_store_explicit(&control->reply_status, 0, memory_order_relaxed);
	atomic_store(&control->row, UDF_NO_ROW);
	atomic_store(&control->sequence, ++worker->sequence);
	if (worker->inside) {
		serve_request(worker->inside, &native_language, worker->sequence);
		return 0;
	}
	return write(worker->request_fd, &one, sizeof(one)) == (ssize_t)sizeof(one) ? 0 : -1;
}

int call_finish(struct udf_worker *worker, enum udf_op op, int64_t timeout_ms, const uint32_t *rows, size_t n,
                struct udf_failure *ret_failure)
{
	int64_t begin = system_clock_ns(), deadline = begin + timeout_ms * 1000000, left;
	struct udf_counts *counts = worker->environment.counts;
	bool ended = false;
	int got = 0;

	if (worker->dead) {
		*ret_failure = worker->failure;
		return -1;
	}
	if (worker->request.overflow)
		return worker_fail(worker, UDF_PROTOCOL, UDF_NO_ROW,
		                   "what it would be given is larger than a request may be (32 MiB)", ret_failure);
	if (send_request(worker, op) < 0)
		return worker_fail(worker, UDF_PROTOCOL, UDF_NO_ROW, "cannot be called: no descriptor", ret_failure);
	got = worker->inside != NULL;
	while (got == 0 && (left = deadline - system_clock_ns()) > 0)
		got = wait_once(worker, left, &ended);
	if (counts && op != OP_START && op != OP_CLOSE) {
		atomic_fetch_add_explicit(&counts->calls, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&counts->nanoseconds, (uint64_t)(system_clock_ns() - begin),
		                          memory_order_relaxed);
	}
	if (got < 0 && ended)
		return has_ended(worker, row_now(worker, rows, n), ret_failure);
	if (got <= 0)
		return too_late(worker, op, timeout_ms, row_now(worker, rows, n), ret_failure);
	return look_at(worker, op, row_now(worker, rows, n), ret_failure);
}
