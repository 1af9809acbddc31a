/*
 * Whole columns: the function is called once a batch, or once for the rows of each group in it, with views of the
 * shared memory. The runtime has put the rows of a group next to each other.
 */
#include "runtime/worker/python.h"

#define VIEWS_MAX (2 * UDF_ARGUMENTS_MAX)

struct views {
	PyObject *items[VIEWS_MAX];
	size_t count;
};

static PyObject *memory_view(struct views *views, const void *data, size_t size)
{
	PyObject *view = shared_view(data, size), *memory;

	if (!view)
		return NULL;
	memory = PyMemoryView_FromObject(view);
	if (!memory) {
		Py_DECREF(view);
		return NULL;
	}
	views->items[views->count++] = view;
	return memory;
}

static PyObject *string_list(const struct wire_column *column, size_t from, size_t n)
{
	PyObject *list = PyList_New((Py_ssize_t)n);

	for (size_t i = 0; list && i < n; i++) {
		PyObject *string = value_object(column, from + i);

		if (!string)
			Py_CLEAR(list);
		else
			PyList_SET_ITEM(list, (Py_ssize_t)i, string);
	}
	return list;
}

/* Rows [from, from + n) of argument `i`, as the function wants them. */
static PyObject *column_object(struct views *views, const struct request_columns *columns, size_t i, size_t from,
                               size_t n)
{
	const struct wire_column *column = &columns->columns[i];
	PyObject *name = python.argument_names[i] ? python.argument_names[i] : python.type_names[column->type];
	size_t width = type_width(column->type);
	PyObject *values, *valid, *object;

	if (column->type == TYPE_STRING)
		values = string_list(column, from, n);
	else
		values = memory_view(views, (const char *)column->values + from * width, n * width);
	if (!values)
		return NULL;
	if (column->nulls && memchr(column->valid + from, 0, n))
		valid = memory_view(views, column->valid + from, n);
	else
		valid = Py_NewRef(Py_None);
	if (!valid) {
		Py_DECREF(values);
		return NULL;
	}
	object = PyObject_CallFunctionObjArgs(python.wrap, python.columns_kind, name, values, valid, NULL);
	Py_DECREF(values);
	Py_DECREF(valid);
	return object;
}

static bool any_kept(const struct views *views)
{
	for (size_t i = 0; i < views->count; i++)
		if (shared_view_is_kept(views->items[i]))
			return true;
	return false;
}

/* After the call: nobody may look at the shared memory any more. */
static int drop_views(struct views *views)
{
	bool kept = any_kept(views);

	if (kept) {
		PyObject *type, *value, *traceback;

		PyErr_Fetch(&type, &value, &traceback);
		Py_XDECREF(type);
		Py_XDECREF(value);
		Py_XDECREF(traceback);
		PyGC_Collect();
		kept = any_kept(views);
	}
	for (size_t i = 0; i < views->count; i++)
		Py_DECREF(views->items[i]);
	if (kept)
		PyErr_SetString(PyExc_RuntimeError,
		                "the function keeps a column (or a view of it) beyond its call, where "
		                "the next batch would change it; keep a copy: column.copy()");
	return kept ? -1 : 0;
}

static PyObject *call_with_columns(struct prepared *call, size_t extra, const struct request_columns *columns,
                                   size_t from, size_t n, struct views *views)
{
	PyObject **arguments = call->arguments + call->first + extra, *result = NULL;
	size_t built = 0;

	while (built < columns->count) {
		arguments[built] = column_object(views, columns, built, from, n);
		if (!arguments[built])
			break;
		built++;
	}
	if (built == columns->count)
		result = prepared_call(call, extra + built);
	for (size_t i = 0; i < built; i++)
		Py_DECREF(arguments[i]);
	return result;
}

static int put_list(struct grown_column *column, PyObject *list, size_t field)
{
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
		if (object_value(column, PyList_GET_ITEM(list, i), field) < 0)
			return -1;
	return 0;
}

static int put_buffers(struct grown_column *column, PyObject *values, PyObject *valid, size_t n)
{
	Py_buffer data, flags = {0};
	size_t width = type_width(column->type);
	int result = -1;

	if (PyObject_GetBuffer(values, &data, PyBUF_SIMPLE) < 0)
		return -1;
	if (valid != Py_None && PyObject_GetBuffer(valid, &flags, PyBUF_SIMPLE) < 0) {
		PyBuffer_Release(&data);
		return -1;
	}
	if ((size_t)data.len != n * width || (flags.obj && (size_t)flags.len != n)) {
		PyErr_SetString(PyExc_ValueError, "the returned column is not as long as the batch");
	} else {
		grown_column_add_all(column, data.buf, flags.obj ? flags.buf : NULL, n);
		result = 0;
	}
	PyBuffer_Release(&data);
	PyBuffer_Release(&flags);
	return result;
}

static int put_column(struct worker *worker, PyObject *result)
{
	struct grown_column *column = &worker->results[0];
	PyObject *count = PyLong_FromUnsignedLong(worker->n), *plain;
	int put;

	plain = count ? PyObject_CallFunctionObjArgs(python.unwrap, result, python.type_names[column->type], count,
	                                             NULL)
	              : NULL;
	Py_XDECREF(count);
	if (!plain)
		return -1;
	if (PyTuple_Check(plain) && PyTuple_GET_SIZE(plain) == 2)
		put = put_buffers(column, PyTuple_GET_ITEM(plain, 0), PyTuple_GET_ITEM(plain, 1), worker->n);
	else
		put = PyList_Check(plain) ? put_list(column, plain, 0) : -1;
	Py_DECREF(plain);
	if (put == 0 && column->count == worker->n)
		return 0;
	if (!PyErr_Occurred())
		PyErr_SetString(PyExc_TypeError, "the returned column could not be read");
	grown_column_truncate(column, 0);
	return -1;
}

static void rows_raised(struct worker *worker, size_t from, size_t n)
{
	PyObject *type, *value, *traceback;

	PyErr_Fetch(&type, &value, &traceback);
	for (size_t i = 0; i < n; i++) {
		Py_XINCREF(type);
		Py_XINCREF(value);
		Py_XINCREF(traceback);
		PyErr_Restore(type, value, traceback);
		row_raised(worker, (uint32_t)(from + i), NULL, 0);
	}
	Py_XDECREF(type);
	Py_XDECREF(value);
	Py_XDECREF(traceback);
}

int eval_columns(struct worker *worker)
{
	struct views views = {.count = 0};
	struct request_columns columns;
	struct prepared call;
	PyObject *result;
	int put;

	worker->n = wire_take_u32(&worker->in);
	if (!take_columns(worker, &columns))
		return worker_error(worker, SLICE_LITERAL("the request could not be read"));
	if (!worker->n)
		return REPLY_OK;
	prepare(&call, python.eval);
	worker_at(worker, METHOD_EVAL, UDF_NO_ROW);
	result = call_with_columns(&call, 0, &columns, 0, worker->n, &views);
	put = result ? put_column(worker, result) : -1;
	Py_XDECREF(result);
	if (put < 0)
		rows_raised(worker, 0, worker->n);
	if (drop_views(&views) < 0) {
		if (put == 0)
			rows_raised(worker, 0, worker->n);
		PyErr_Clear();
	}
	while (worker->results[0].count < worker->n)
		put_null_result(worker);
	return REPLY_OK;
}

/* The rows of one group. */
static void accumulate_run(struct worker *worker, struct prepared *call, const struct request_columns *columns,
                           size_t from, size_t n)
{
	struct views views = {.count = 0};
	PyObject *result = call_with_columns(call, 1, columns, from, n, &views);
	bool raised = !result;

	Py_XDECREF(result);
	if (raised)
		rows_raised(worker, from, n);
	if (drop_views(&views) < 0 && !raised)
		rows_raised(worker, from, n);
	PyErr_Clear();
}

int accumulate_columns(struct worker *worker)
{
	uint32_t table = wire_take_u32(&worker->in), from = 0, to;
	struct request_columns columns;
	const uint32_t *slots;
	struct prepared call;

	worker->n = wire_take_u32(&worker->in);
	slots = wire_take_u32s(&worker->in, worker->n);
	if (!slots || table >= UDF_TABLES || !take_columns(worker, &columns))
		return worker_error(worker, SLICE_LITERAL("the request could not be read"));
	prepare(&call, python.accumulate);
	for (; from < worker->n; from = to) {
		PyObject **slot;

		for (to = from + 1; to < worker->n && slots[to] == slots[from];)
			to++;
		worker_at_row(worker, from);
		slot = slot_of(worker, table, slots[from]);
		worker_at(worker, METHOD_ACCUMULATE, from);
		if (!slot || (python.keeps_columns && keep_rows(*slot, &columns, from, to - from) < 0)) {
			rows_raised(worker, from, to - from);
		} else if (!python.keeps_columns) {
			call.arguments[call.first] = *slot;
			accumulate_run(worker, &call, &columns, from, to - from);
		}
	}
	return REPLY_OK;
}
