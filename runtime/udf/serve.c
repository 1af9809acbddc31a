#include "runtime/udf/serve.h"

#include <stdlib.h>

void worker_row_failed(struct worker *worker, uint32_t row, struct slice reason)
{
	uint32_t head[2] = {row, 0};

	if (reason.size > UDF_REASON_BYTES_MAX)
		reason.size = UDF_REASON_BYTES_MAX;
	while (reason.size && reason.size == UDF_REASON_BYTES_MAX &&
	       ((unsigned char)reason.data[reason.size - 1] & 0x80))
		reason.size--;
	head[1] = (uint32_t)reason.size;
	buffer_append(&worker->failures, head, sizeof(head));
	buffer_append_slice(&worker->failures, reason);
	worker->failures_count++;
}

int worker_error(struct worker *worker, struct slice reason)
{
	worker->out.size = 0;
	worker->out.overflow = false;
	wire_put_text(&worker->out, reason);
	return REPLY_ERROR;
}

void worker_take_head(struct worker *worker, struct sandbox *ret_sandbox)
{
	uint32_t flags;

	worker->memory_bytes = (int64_t)wire_take_u64(&worker->in);
	flags = wire_take_u32(&worker->in);
	*ret_sandbox = (struct sandbox){.network = (flags & UDF_HEAD_NETWORK) != 0,
	                                .required = (flags & UDF_HEAD_REQUIRED) != 0,
	                                .kept = wire_take_text(&worker->in)};
	ret_sandbox->outputs = wire_take_text(&worker->in);
	ret_sandbox->scratch = wire_take_text(&worker->in);
	ret_sandbox->open = wire_take_text(&worker->in);
}

int worker_close_sandbox(struct worker *worker, const struct sandbox *wanted)
{
	if (!worker->sandbox_close || worker->sandbox_close(wanted) == 0)
		return 0;
	return worker_error(worker,
	                    SLICE_LITERAL("the sandbox cannot be set up: seccomp is needed, and with sandbox: "
	                                  "required Landlock, which Linux has from 5.13 on where it is enabled"));
}

int worker_limit_memory(struct worker *worker)
{
	if (!worker->sandbox_limit || worker->sandbox_limit(worker->memory_bytes) == 0)
		return 0;
	return worker_error(worker, SLICE_LITERAL("the memory limit cannot be set: /proc and rlimits are needed"));
}

static void put_failures(struct worker *worker)
{
	const char *at = worker->failures.data;

	wire_put_u32(&worker->out, worker->failures_count);
	for (uint32_t i = 0; i < worker->failures_count; i++) {
		uint32_t head[2];

		memcpy(head, at, sizeof(head));
		wire_put_u32(&worker->out, head[0]);
		wire_put_text(&worker->out, (struct slice){at + sizeof(head), head[1]});
		at += sizeof(head) + head[1];
	}
}

/* The reply of a call: failures first, then rows or columns; what save wrote is there already. */
static void put_results(struct worker *worker, enum udf_op op)
{
	bool rows = op == OP_EVAL_TABLE || op == OP_EMIT;
	size_t count = worker->parents.size / sizeof(uint32_t);

	put_failures(worker);
	if (rows) {
		wire_put_u32(&worker->out, (uint32_t)count);
		wire_put_u32s(&worker->out, (const uint32_t *)(const void *)buffer_slice(&worker->parents).data, count);
	}
	if (rows || op == OP_EVAL || op == OP_VALUES)
		for (size_t c = 0; c < worker->results_count; c++)
			wire_put_grown(&worker->out, &worker->results[c]);
	if (op == OP_SAVE)
		wire_put_grown(&worker->out, &worker->results[worker->results_count]);
}

/* What the accumulators are worth is unknown now; the reply is the words of the row that came last. */
static int exhausted(struct worker *worker)
{
	size_t at = 0;
	uint32_t head[2] = {0, 0};

	for (uint32_t i = 0; i < worker->failures_count; i++, at += sizeof(head) + head[1])
		memcpy(head, worker->failures.data + at, sizeof(head));
	worker_error(worker, (struct slice){worker->failures.data + at - head[1], head[1]});
	return REPLY_EXHAUSTED;
}

static int call(struct worker *worker, const struct language *language, enum udf_op op)
{
	int status;

	buffer_clear(&worker->failures);
	buffer_clear(&worker->parents);
	worker->failures_count = 0;
	worker->out_of_memory = false;
	for (size_t c = 0; worker->results && c <= worker->results_count; c++)
		grown_column_truncate(&worker->results[c], 0);
	status = language->call(worker, op);
	if (status != REPLY_OK)
		return status;
	if (worker->out_of_memory)
		return exhausted(worker);
	put_results(worker, op);
	return worker->out.overflow ? REPLY_TOO_LARGE : REPLY_OK;
}

void serve_request(struct worker *worker, const struct language *language, uint32_t number)
{
	struct udf_control *control = worker->control;
	enum udf_op op = (enum udf_op)control->op;
	int status;

	worker->in = (struct wire_in){.data = udf_request_area(control), .size = control->request_bytes};
	worker->out = (struct wire_out){.data = udf_reply_area(control), .max = UDF_REPLY_BYTES_MAX};
	status = op == OP_START ? language->start(worker) : call(worker, language, op);
	atomic_store_explicit(&control->reply_status, (uint32_t)status, memory_order_relaxed);
	atomic_store_explicit(&control->reply_bytes, (uint32_t)worker->out.size, memory_order_relaxed);
	atomic_store(&control->reply_number, number);
}

void serve_init(struct worker *worker, struct udf_control *control)
{
	*worker = (struct worker){.control = control};
	buffer_init(&worker->failures);
	buffer_init(&worker->parents);
}

void serve_release(struct worker *worker, const struct language *language)
{
	if (language->end)
		language->end(worker);
	for (size_t c = 0; worker->results && c <= worker->results_count; c++)
		grown_column_release(&worker->results[c]);
	free(worker->results);
	buffer_release(&worker->failures);
	buffer_release(&worker->parents);
}
