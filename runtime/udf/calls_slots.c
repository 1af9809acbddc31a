/*
 * Calls with accumulators. An answer that has no room is asked for again in halves.
 *
 * Saved accumulators are, one after the other: one byte, 1 where there is one, its size in 32 bits, its bytes.
 */
#include "runtime/udf/results.h"

struct slot_call {
	struct udf_worker *worker;
	enum udf_op op;
	unsigned table;
	const uint32_t *slots;
	struct column *results;
	struct row_collector *collector;
	struct buffer *saved;
	struct row_failures *failures;
	struct udf_failure *ret_failure;
};

#define SAVED_HEAD_BYTES 5

static void take_saved(struct udf_worker *worker, size_t n, struct buffer *out)
{
	struct wire_column column;

	wire_take_column(&worker->in, n, &column);
	worker->in.bad |= column.type != TYPE_STRING;
	for (size_t i = 0; !worker->in.bad && i < n; i++) {
		struct slice bytes = wire_string(&column, i);
		uint32_t size = (uint32_t)bytes.size;

		buffer_append_char(out, (char)column.valid[i]);
		buffer_append(out, &size, sizeof(size));
		buffer_append_slice(out, bytes);
	}
}

static int take_answer(const struct slot_call *call, const uint32_t *numbers, size_t n)
{
	struct udf_worker *worker = call->worker;

	take_failures(worker, numbers, n, call->failures);
	if (call->op == OP_VALUES && !worker->in.bad)
		take_values(worker, numbers, n, call->results);
	if (call->op == OP_EMIT && !worker->in.bad)
		take_rows(worker, numbers, n, call->collector);
	if (call->op == OP_SAVE && !worker->in.bad)
		take_saved(worker, n, call->saved);
	return worker->in.bad ? call_garbled(worker, call->ret_failure) : 0;
}

static int call_part(const struct slot_call *call, size_t from, size_t n)
{
	struct udf_worker *worker = call->worker;
	uint32_t numbers[BATCH_ROWS_MAX];
	int result;

	for (size_t i = 0; i < n; i++)
		numbers[i] = (uint32_t)(from + i);
	call_begin(worker);
	wire_put_u32(&worker->request, call->table);
	wire_put_u32(&worker->request, (uint32_t)n);
	wire_put_u32s(&worker->request, call->slots + from, n);
	result = call_finish(worker, call->op, worker->spec->timeout_ms, numbers, n, call->ret_failure);
	if (result != 0)
		return result;
	return take_answer(call, numbers, n);
}

static int call_slots(const struct slot_call *call, size_t n)
{
	struct udf_worker *worker = call->worker;
	size_t done = 0, part = n;
	int result = 0;

	pthread_mutex_lock(&worker->mutex);
	call_forget(worker);
	while (result >= 0 && done < n) {
		part = part < n - done ? part : n - done;
		result = call_part(call, done, part);
		if (result == 0)
			done += part;
		else if (result == CALL_TOO_LARGE && part > 1)
			part /= 2;
		else if (result == CALL_TOO_LARGE)
			result = worker_fail(worker, UDF_MEMORY, (uint32_t)done,
			                     "the answer for one group is larger than a reply may be (32 MiB)",
			                     call->ret_failure);
	}
	pthread_mutex_unlock(&worker->mutex);
	return result < 0 ? -1 : 0;
}

int udf_values(struct udf_worker *worker, unsigned table, const uint32_t *slots, size_t n, struct column *results,
               struct row_failures *failures, struct udf_failure *ret_failure)
{
	struct slot_call call = {.worker = worker,
	                         .op = OP_VALUES,
	                         .table = table,
	                         .slots = slots,
	                         .results = results,
	                         .failures = failures,
	                         .ret_failure = ret_failure};

	return call_slots(&call, n);
}

int udf_emit(struct udf_worker *worker, unsigned table, const uint32_t *slots, size_t n, struct udf_rows *ret_rows,
             struct row_failures *failures, struct udf_failure *ret_failure)
{
	struct row_collector collector = {0};
	struct slot_call call = {.worker = worker,
	                         .op = OP_EMIT,
	                         .table = table,
	                         .slots = slots,
	                         .collector = &collector,
	                         .failures = failures,
	                         .ret_failure = ret_failure};
	int result = call_slots(&call, n);

	if (result == 0)
		*ret_rows = collected(worker, &collector);
	return result;
}

int udf_save(struct udf_worker *worker, unsigned table, const uint32_t *slots, size_t n, struct buffer *out,
             struct row_failures *failures, struct udf_failure *ret_failure)
{
	struct slot_call call = {.worker = worker,
	                         .op = OP_SAVE,
	                         .table = table,
	                         .slots = slots,
	                         .saved = out,
	                         .failures = failures,
	                         .ret_failure = ret_failure};

	return call_slots(&call, n);
}

/* The saved accumulators as a column; false where the bytes are not what udf_save wrote. */
static bool read_saved(struct slice saved, size_t n, struct column *column)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t size;

		if (saved.size < SAVED_HEAD_BYTES)
			return false;
		column->valid[i] = saved.data[0] == 1;
		memcpy(&size, saved.data + 1, sizeof(size));
		saved.data += SAVED_HEAD_BYTES;
		saved.size -= SAVED_HEAD_BYTES;
		if (size > saved.size)
			return false;
		column->strings[i] = (struct slice){saved.data, size};
		saved.data += size;
		saved.size -= size;
	}
	return saved.size == 0;
}

static int merge_part(struct udf_worker *worker, unsigned table, const uint32_t *slots, const struct column *saved,
                      const uint32_t *numbers, size_t n, struct row_failures *failures, struct udf_failure *ret_failure)
{
	call_begin(worker);
	wire_put_u32(&worker->request, table);
	wire_put_u32(&worker->request, (uint32_t)n);
	wire_put_u32s(&worker->request, slots, n);
	wire_put_column(&worker->request, saved, numbers, n);
	if (call_finish(worker, OP_MERGE, worker->spec->timeout_ms, numbers, n, ret_failure) < 0)
		return -1;
	take_failures(worker, numbers, n, failures);
	return worker->in.bad ? call_garbled(worker, ret_failure) : 0;
}

int udf_merge(struct udf_worker *worker, unsigned table, const uint32_t *slots, size_t n, struct slice saved,
              struct row_failures *failures, struct udf_failure *ret_failure)
{
	uint32_t numbers[BATCH_ROWS_MAX];
	struct column column;
	size_t done = 0;
	int result = 0;

	pthread_mutex_lock(&worker->mutex);
	call_forget(worker);
	column_init(&column, TYPE_STRING, n);
	for (size_t i = 0; i < n; i++)
		numbers[i] = (uint32_t)i;
	if (!read_saved(saved, n, &column))
		result = worker_fail(worker, UDF_PROTOCOL, UDF_NO_ROW, "the saved accumulators are not whole",
		                     ret_failure);
	while (result == 0 && done < n) {
		size_t part = n - done;

		while (part > 1 && wire_column_bytes(&column, numbers + done, part) > UDF_REQUEST_BYTES_MAX / 2)
			part /= 2;
		result = merge_part(worker, table, slots + done, &column, numbers + done, part, failures, ret_failure);
		done += part;
	}
	column_release(&column);
	pthread_mutex_unlock(&worker->mutex);
	return result;
}

int udf_clear(struct udf_worker *worker, unsigned table, struct udf_failure *ret_failure)
{
	int result;

	pthread_mutex_lock(&worker->mutex);
	call_forget(worker);
	call_begin(worker);
	wire_put_u32(&worker->request, table);
	result = call_finish(worker, OP_CLEAR, worker->spec->timeout_ms, NULL, 0, ret_failure);
	pthread_mutex_unlock(&worker->mutex);
	return result;
}
