/*
 * One request and its reply, under a deadline. Three things can happen: the reply comes, the process ends, the time is
 * up; the lane sleeps until whichever is first, and after the last two there is no process any more.
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
#include "lib/process/watch.h"
#include "runtime/udf/life.h"
#include "runtime/udf/wake.h"

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

int worker_failed(struct udf_worker *worker, enum udf_reason reason, uint32_t row, const char *what,
                  const struct buffer *tail, struct udf_failure *ret_failure)
{
	struct udf_failure *failure = &worker->failure;
	uint32_t method = atomic_load_explicit(&worker->control->method, memory_order_relaxed);
	struct udf_counts *counts = worker->environment.counts;
	int size;

	*failure = (struct udf_failure){.reason = reason,
	                                .function = worker->spec->name,
	                                .method = udf_method_name((enum udf_method)method),
	                                .row = row};
	size = snprintf(failure->text, sizeof(failure->text), "function %s, %s: %s", failure->function, failure->method,
	                what);
	if (tail->size && (size_t)size < sizeof(failure->text))
		snprintf(failure->text + size, sizeof(failure->text) - (size_t)size, "\nstderr ends with:\n%s",
		         tail->data);
	worker->dead = true;
	if (counts)
		atomic_fetch_add(&counts->failures[reason], 1);
	*ret_failure = *failure;
	return -1;
}

int worker_fail(struct udf_worker *worker, enum udf_reason reason, uint32_t row, const char *what,
                struct udf_failure *ret_failure)
{
	struct buffer tail;

	buffer_init(&tail);
	life_end(worker, &tail);
	worker_failed(worker, reason, row, what, &tail, ret_failure);
	buffer_release(&tail);
	return -1;
}

/* How the process ended, in words; SIGKILL that is not ours is the kernel's, for want of memory. */
static enum udf_reason say_end(int status, char *out, size_t size)
{
	int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (status < 0) {
		snprintf(out, size, "the process ended, and its end could not be looked at in time");
		return UDF_CRASH;
	}
	if (number == SIGKILL) {
		snprintf(out, size,
		         "the process was killed from outside, most often for want of memory in the container");
		return UDF_MEMORY;
	}
	if (number)
		snprintf(out, size, "the process crashed: %s", strsignal(number));
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

/* Do its last words say why it gave up? */
static bool wants_memory(const struct buffer *tail)
{
	static const char *const words[] = {
	        "MemoryError",           "bad_alloc", "out of memory", "Out of memory", "Cannot allocate memory",
	        "cannot allocate memory"};

	for (size_t i = 0; tail->size && i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(tail->data, words[i]))
			return true;
	return false;
}

static int has_ended(struct udf_worker *worker, uint32_t row, struct udf_failure *ret_failure)
{
	struct buffer tail, why;
	enum udf_reason reason;
	char what[352];
	int status;

	buffer_init(&tail);
	buffer_init(&why);
	status = life_look_back(worker, &tail, &why);
	reason = say_end(status, what, sizeof(what));
	if (why.size) {
		reason = UDF_MEMORY;
		snprintf(what, sizeof(what), "%s", why.data);
	} else if (status >= 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && wants_memory(&tail)) {
		reason = UDF_MEMORY;
		snprintf(what, sizeof(what),
		         "the process gave up for want of memory (%" PRId64 " bytes): keep less, or raise memory",
		         worker->spec->memory_bytes);
	}
	worker_failed(worker, reason, row, what, &tail, ret_failure);
	buffer_release(&tail);
	buffer_release(&why);
	return -1;
}

static int too_late(struct udf_worker *worker, enum udf_op op, int64_t timeout_ms, uint32_t row,
                    struct udf_failure *ret_failure)
{
	const char *limit = op == OP_START ? "startTimeout" : op == OP_CLOSE ? "the time to close" : "timeout";
	struct pollfd ended = {.fd = worker->keeper->pidfd, .events = POLLIN};
	char what[256], at[48] = "";

	if (worker->spec->language == LANGUAGE_PYTHON) { /* the interpreter then says on stderr where it is */
		pidfd_send_signal(worker->keeper->pidfd, SIGUSR2, NULL, 0);
		poll(&ended, 1, WHERE_WAIT_MS);
	}
	if (row != UDF_NO_ROW)
		snprintf(at, sizeof(at), ", at row %" PRIu32 " of the batch", row);
	snprintf(what, sizeof(what), "did not come back within %s (%" PRId64 " ms)%s; the worker was killed", limit,
	         timeout_ms, at);
	return worker_fail(worker, UDF_TIMEOUT, row, what, ret_failure);
}

enum arrival { NOTHING_YET, ARRIVED, ENDED, GARBLED };

/* What is there. A number that is neither the last reply's nor this one's would never let the lane sleep: the worker is
 * not to be talked to. */
static enum arrival look(struct udf_worker *worker)
{
	bool has_ended_before = atomic_load(&worker->keeper->ended) != 0;
	uint32_t number = atomic_load(&worker->control->reply_number);

	if (number == worker->number)
		return ARRIVED;
	if (has_ended_before)
		return ENDED;
	return number == worker->number - 1 ? NOTHING_YET : GARBLED;
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

static void send_request(struct udf_worker *worker, enum udf_op op)
{
	struct udf_control *control = worker->control;

	control->op = op;
	control->request_bytes = (uint32_t)worker->request.size;
	atomic_store_explicit(&control->reply_status, 0, memory_order_relaxed);
	atomic_store(&control->row, UDF_NO_ROW);
	atomic_store(&control->request_number, ++worker->number);
	if (worker->inside)
		serve_request(worker->inside, &native_language, worker->number);
	else
		wake_shared(&control->request_number);
}

/* Until the deadline, and a look after it: a process that was stopped and goes on may have its answer long since. */
static enum arrival wait_for_reply(struct udf_worker *worker, int64_t deadline_ns)
{
	if (worker->inside)
		return ARRIVED;
	for (;;) {
		int64_t left_ns = deadline_ns - system_clock_ns();
		enum arrival arrival = look(worker);

		if (arrival != NOTHING_YET || left_ns <= 0)
			return arrival;
		sleep_on_both(&worker->control->reply_number, worker->number - 1, &worker->keeper->ended, left_ns);
	}
}

static const char *op_name(enum udf_op op)
{
	static const char *const names[] = {[OP_START] = "start",      [OP_EVAL] = "eval",
	                                    [OP_EVAL_TABLE] = "eval",  [OP_ACCUMULATE] = "accumulate",
	                                    [OP_VALUES] = "get_value", [OP_EMIT] = "emit_value",
	                                    [OP_SAVE] = "save",        [OP_MERGE] = "merge",
	                                    [OP_CLEAR] = "clear",      [OP_CLOSE] = "close"};

	return names[op];
}

/* Sends the request and waits, while whoever looks can see for how long. */
static enum arrival exchange(struct udf_worker *worker, enum udf_op op, int64_t begin_ns, int64_t timeout_ms)
{
	enum arrival arrival;

	watch_begin(WATCH_FUNCTION, op_name(op), worker->watched, timeout_ms);
	send_request(worker, op);
	arrival = wait_for_reply(worker, begin_ns + timeout_ms * 1000000);
	watch_end();
	return arrival;
}

int call_finish(struct udf_worker *worker, enum udf_op op, int64_t timeout_ms, const uint32_t *rows, size_t n,
                struct udf_failure *ret_failure)
{
	int64_t begin = system_clock_ns();
	struct udf_counts *counts = worker->environment.counts;
	enum arrival arrival;
	uint32_t row;

	if (worker->dead) {
		*ret_failure = worker->failure;
		return -1;
	}
	if (worker->request.overflow)
		return worker_fail(worker, UDF_PROTOCOL, UDF_NO_ROW,
		                   "what it would be given is larger than a request may be (32 MiB)", ret_failure);
	arrival = exchange(worker, op, begin, timeout_ms);
	if (counts && op != OP_START && op != OP_CLOSE) {
		atomic_fetch_add_explicit(&counts->calls, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&counts->nanoseconds, (uint64_t)(system_clock_ns() - begin),
		                          memory_order_relaxed);
	}
	row = row_now(worker, rows, n);
	switch (arrival) {
	case ARRIVED:
		return look_at(worker, op, row, ret_failure);
	case ENDED:
		return has_ended(worker, row, ret_failure);
	case GARBLED:
		return call_garbled(worker, ret_failure);
	case NOTHING_YET:
		break;
	}
	return too_late(worker, op, timeout_ms, row, ret_failure);
}
