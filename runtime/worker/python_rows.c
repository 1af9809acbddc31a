/*
 * Row at a time. What a row costs here is what the product is measured by: the arguments are built in place, a method
 * is taken apart once a batch, nothing is allocated but the values themselves.
 */
#include "runtime/worker/python.h"

void prepare(struct prepared *call, PyObject *method)
{
	call->first = 1;
	call->function = method;
	if (PyMethod_Check(method)) {
		call->function = PyMethod_GET_FUNCTION(method);
		call->arguments[call->first++] = PyMethod_GET_SELF(method);
	}
}

bool take_columns(struct worker *worker, struct request_columns *columns)
{
	columns->count = wire_take_u32(&worker->in);
	if (columns->count > UDF_ARGUMENTS_MAX)
		return false;
	for (size_t c = 0; c < columns->count; c++)
		wire_take_column(&worker->in, worker->n, &columns->columns[c]);
	return !worker->in.bad;
}

/* How many were built: fewer than all with an exception. */
static size_t build_arguments(const struct request_columns *columns, size_t row, PyObject **arguments)
{
	size_t built = 0;

	while (built < columns->count) {
		arguments[built] = value_object(&columns->columns[built], row);
		if (!arguments[built])
			break;
		built++;
	}
	return built;
}

static void drop_arguments(PyObject **arguments, size_t count)
{
	for (size_t i = 0; i < count; i++)
		Py_DECREF(arguments[i]);
}

static int bad_request(struct worker *worker)
{
	return worker_error(worker, SLICE_LITERAL("the request could not be read: the function wrote over it"));
}

/* Where the arguments of a row go; NULL where the request cannot be read. */
static PyObject **begin_eval(struct worker *worker, struct request_columns *columns, struct prepared *call)
{
	worker->n = wire_take_u32(&worker->in);
	if (!take_columns(worker, columns))
		return NULL;
	prepare(call, python.eval);
	worker_at(worker, METHOD_EVAL, 0);
	return call->arguments + call->first;
}

int eval_rows(struct worker *worker)
{
	struct request_columns columns;
	struct prepared call;
	PyObject **arguments = begin_eval(worker, &columns, &call);

	if (!arguments)
		return bad_request(worker);
	for (uint32_t row = 0; row < worker->n && !worker->out_of_memory; row++) {
		size_t built = build_arguments(&columns, row, arguments);
		PyObject *result = NULL;

		worker_at_row(worker, row);
		if (built == columns.count)
			result = prepared_call(&call, built);
		if (!result || put_result(worker, result) < 0) {
			row_raised(worker, row, arguments, built);
			put_null_result(worker);
		}
		Py_XDECREF(result);
		drop_arguments(arguments, built);
	}
	return REPLY_OK;
}

int accumulate_rows(struct worker *worker)
{
	uint32_t table = wire_take_u32(&worker->in);
	struct request_columns columns;
	const uint32_t *slots;
	struct prepared call;
	PyObject **arguments;

	worker->n = wire_take_u32(&worker->in);
	slots = wire_take_u32s(&worker->in, worker->n);
	if (!slots || table >= UDF_TABLES || !take_columns(worker, &columns))
		return bad_request(worker);
	prepare(&call, python.accumulate);
	arguments = call.arguments + call.first + 1;
	for (uint32_t row = 0; row < worker->n && !worker->out_of_memory; row++) {
		PyObject **slot, *result = NULL;
		size_t built;

		worker_at_row(worker, row);
		slot = slot_of(worker, table, slots[row]);
		if (!slot) {
			row_raised(worker, row, NULL, 0);
			continue;
		}
		worker_at(worker, METHOD_ACCUMULATE, row);
		built = build_arguments(&columns, row, arguments);
		call.arguments[call.first] = *slot;
		if (built == columns.count)
			result = prepared_call(&call, built + 1);
		if (!result)
			row_raised(worker, row, arguments, built);
		Py_XDECREF(result);
		drop_arguments(arguments, built);
	}
	return REPLY_OK;
}

static size_t yielded_bytes(const struct worker *worker)
{
	size_t bytes = worker->parents.size;

	for (size_t c = 0; c < worker->results_count; c++) {
		const struct grown_column *column = &worker->results[c];

		bytes += column->count * (1 + type_width(column->type)) + column->strings.size;
	}
	return bytes;
}

/* The rows that `yielded` gives, for the parent. -1: an exception, and none of them are there; 1: too many bytes. */
static int take_yielded(struct worker *worker, PyObject *yielded, uint32_t parent)
{
	size_t before = worker->results[0].count, parents_before = worker->parents.size;
	PyObject *rows = PyObject_CallOneArg(python.emitted, yielded), *iterator, *row;
	int result = 0;

	iterator = rows ? PyObject_GetIter(rows) : NULL;
	Py_XDECREF(rows);
	while (result == 0 && iterator && (row = PyIter_Next(iterator)) != NULL) {
		result = put_result(worker, row);
		Py_DECREF(row);
		if (result == 0)
			buffer_append(&worker->parents, &parent, sizeof(parent));
		if (result == 0 && yielded_bytes(worker) > UDF_REPLY_BYTES_MAX)
			result = 1;
	}
	Py_XDECREF(iterator);
	if (result == 1 || !PyErr_Occurred())
		return result;
	for (size_t c = 0; c < worker->results_count; c++)
		grown_column_truncate(&worker->results[c], before);
	worker->parents.size = parents_before;
	return -1;
}

int eval_table_rows(struct worker *worker)
{
	struct request_columns columns;
	struct prepared call;
	PyObject **arguments = begin_eval(worker, &columns, &call);
	int taken = 0;

	if (!arguments)
		return bad_request(worker);
	for (uint32_t row = 0; taken <= 0 && row < worker->n && !worker->out_of_memory; row++) {
		size_t built = build_arguments(&columns, row, arguments);
		PyObject *result = NULL;

		worker_at_row(worker, row);
		if (built == columns.count)
			result = prepared_call(&call, built);
		taken = result ? take_yielded(worker, result, row) : -1;
		if (taken < 0)
			row_raised(worker, row, arguments, built);
		Py_XDECREF(result);
		drop_arguments(arguments, built);
	}
	return taken > 0 ? REPLY_TOO_LARGE : REPLY_OK;
}

int emit_slots(struct worker *worker)
{
	uint32_t table = wire_take_u32(&worker->in);
	const uint32_t *slots;
	int taken = 0;

	worker->n = wire_take_u32(&worker->in);
	slots = wire_take_u32s(&worker->in, worker->n);
	if (!slots || table >= UDF_TABLES)
		return bad_request(worker);
	for (uint32_t i = 0; taken <= 0 && i < worker->n && !worker->out_of_memory; i++) {
		PyObject **slot, *result;

		worker_at_row(worker, i);
		slot = slot_of(worker, table, slots[i]);
		worker_at(worker, METHOD_EMIT_VALUE, i);
		result = slot ? PyObject_CallOneArg(python.emit_value, *slot) : NULL;
		taken = result ? take_yielded(worker, result, i) : -1;
		if (taken < 0)
			row_raised(worker, i, NULL, 0);
		Py_XDECREF(result);
	}
	return taken > 0 ? REPLY_TOO_LARGE : REPLY_OK;
}
