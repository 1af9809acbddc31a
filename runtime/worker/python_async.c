/*
 * An async function: the rows of a batch are called at the same time, on a loop that the worker keeps (async_rows.py);
 * their results come back in the rows' order, under the batch's deadline.
 */
#include "runtime/worker/python.h"

/* A tuple of the arguments of each row, or NULL with an exception. */
static PyObject *argument_rows(const struct worker *worker, const struct request_columns *columns)
{
	PyObject *rows = PyList_New((Py_ssize_t)worker->n);

	for (uint32_t row = 0; rows && row < worker->n; row++) {
		PyObject *arguments = PyTuple_New((Py_ssize_t)columns->count);

		for (size_t c = 0; arguments && c < columns->count; c++) {
			PyObject *value = value_object(&columns->columns[c], row);

			if (!value)
				Py_CLEAR(arguments);
			else
				PyTuple_SET_ITEM(arguments, (Py_ssize_t)c, value);
		}
		if (!arguments)
			Py_CLEAR(rows);
		else
			PyList_SET_ITEM(rows, (Py_ssize_t)row, arguments);
	}
	return rows;
}

static void row_failed(struct worker *worker, uint32_t row, PyObject *arguments)
{
	PyObject *items[UDF_ARGUMENTS_MAX];
	size_t count = (size_t)PyTuple_GET_SIZE(arguments);

	for (size_t i = 0; i < count; i++)
		items[i] = PyTuple_GET_ITEM(arguments, (Py_ssize_t)i);
	row_raised(worker, row, items, count);
	put_null_result(worker);
}

/* One outcome a row: (result, None) or (None, exception). */
static int put_outcomes(struct worker *worker, PyObject *rows, PyObject *outcomes)
{
	if (!PyList_Check(outcomes) || (size_t)PyList_GET_SIZE(outcomes) != worker->n) {
		PyErr_SetString(PyExc_RuntimeError, "the batch came back with other rows");
		return call_raised(worker);
	}
	for (uint32_t row = 0; row < worker->n && !worker->out_of_memory; row++) {
		PyObject *arguments = PyList_GET_ITEM(rows, (Py_ssize_t)row), *result, *raised;

		if (!PyArg_ParseTuple(PyList_GET_ITEM(outcomes, (Py_ssize_t)row), "OO", &result, &raised))
			return call_raised(worker);
		if (raised != Py_None)
			PyErr_SetObject((PyObject *)Py_TYPE(raised), raised);
		if (raised != Py_None || put_result(worker, result) < 0)
			row_failed(worker, row, arguments);
	}
	return REPLY_OK;
}

int eval_async_rows(struct worker *worker)
{
	struct request_columns columns;
	PyObject *rows, *outcomes;
	int status;

	worker->n = wire_take_u32(&worker->in);
	if (!take_columns(worker, &columns))
		return worker_error(worker, SLICE_LITERAL("the request could not be read: the function wrote over it"));
	worker_at(worker, METHOD_EVAL, UDF_NO_ROW);
	rows = argument_rows(worker, &columns);
	outcomes = rows ? PyObject_CallOneArg(python.run_rows, rows) : NULL;
	status = outcomes ? put_outcomes(worker, rows, outcomes) : call_raised(worker);
	Py_XDECREF(outcomes);
	Py_XDECREF(rows);
	return status;
}
