/*
 * The accumulator of a function of a group's whole columns (streamjob.columns, "Kept columns"): a list of [type,
 * values, valid, ends] a column, in bytearrays that grow by an eighth. A batch adds a group's rows by copying bytes,
 * without a Python object a row or a batch.
 */
#include "runtime/worker/python.h"

enum { KEPT_VALUES = 1, KEPT_VALID, KEPT_ENDS };

static PyObject *empty_bytes(void)
{
	return PyByteArray_FromStringAndSize(NULL, 0);
}

static int begin_columns(PyObject *kept, const struct request_columns *columns)
{
	for (size_t i = 0; i < columns->count; i++) {
		enum type type = columns->columns[i].type;
		PyObject *ends = type == TYPE_STRING ? empty_bytes() : Py_NewRef(Py_None);
		PyObject *name = python.argument_names[i] ? python.argument_names[i] : python.type_names[type];
		PyObject *column = Py_BuildValue("[ONON]", name, empty_bytes(), Py_None, ends);
		int added = column ? PyList_Append(kept, column) : -1;

		Py_XDECREF(column);
		if (added < 0)
			return -1;
	}
	return 0;
}

/* `size` more bytes at the end of a part; NULL with an exception. */
static char *more(PyObject *column, int part, size_t size)
{
	PyObject *bytes = PyList_GET_ITEM(column, part);
	Py_ssize_t before = PyByteArray_GET_SIZE(bytes);

	if (PyByteArray_Resize(bytes, before + (Py_ssize_t)size) < 0)
		return NULL;
	return PyByteArray_AS_STRING(bytes) + before;
}

static size_t rows_of(PyObject *column, enum type type)
{
	size_t width = type == TYPE_STRING ? sizeof(uint32_t) : type_width(type);

	return (size_t)PyByteArray_GET_SIZE(PyList_GET_ITEM(column, type == TYPE_STRING ? KEPT_ENDS : KEPT_VALUES)) /
	       width;
}

/* Validity is kept from the first NULL on. */
static int keep_valid(PyObject *kept, const struct wire_column *column, size_t from, size_t n)
{
	bool nulls = column->nulls && memchr(column->valid + from, 0, n);
	char *to;

	if (PyList_GET_ITEM(kept, KEPT_VALID) == Py_None) {
		size_t before = rows_of(kept, column->type);
		PyObject *valid;

		if (!nulls)
			return 0;
		valid = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)before);
		if (!valid)
			return -1;
		memset(PyByteArray_AS_STRING(valid), 1, before);
		PyList_SetItem(kept, KEPT_VALID, valid);
	}
	to = more(kept, KEPT_VALID, n);
	if (!to)
		return -1;
	if (nulls)
		memcpy(to, column->valid + from, n);
	else
		memset(to, 1, n);
	return 0;
}

static int keep_strings(PyObject *kept, const struct wire_column *column, size_t from, size_t n)
{
	const uint32_t *offsets = column->offsets + from;
	size_t before = (size_t)PyByteArray_GET_SIZE(PyList_GET_ITEM(kept, KEPT_VALUES)),
	       size = offsets[n] - offsets[0];
	char *to, *ends;

	if (before + size > UINT32_MAX) {
		PyErr_SetString(PyExc_OverflowError,
		                "the strings of one column and group are more than 4 GiB in one window");
		return -1;
	}
	to = more(kept, KEPT_VALUES, size);
	ends = to ? more(kept, KEPT_ENDS, n * sizeof(uint32_t)) : NULL;
	if (!ends)
		return -1;
	memcpy(to, column->bytes + offsets[0], size);
	for (size_t i = 0; i < n; i++) {
		uint32_t end = (uint32_t)(before + offsets[i + 1] - offsets[0]);

		memcpy(ends + i * sizeof(end), &end, sizeof(end));
	}
	return 0;
}

static int keep_column(PyObject *kept, const struct wire_column *column, size_t from, size_t n)
{
	size_t width;
	char *to;

	if (keep_valid(kept, column, from, n) < 0)
		return -1;
	if (column->type == TYPE_STRING)
		return keep_strings(kept, column, from, n);
	width = type_width(column->type);
	to = more(kept, KEPT_VALUES, n * width);
	if (!to)
		return -1;
	memcpy(to, (const char *)column->values + from * width, n * width);
	return 0;
}

int keep_rows(PyObject *accumulator, const struct request_columns *columns, size_t from, size_t n)
{
	if (!PyList_GET_SIZE(accumulator) && begin_columns(accumulator, columns) < 0)
		return -1;
	for (size_t i = 0; i < columns->count; i++)
		if (keep_column(PyList_GET_ITEM(accumulator, (Py_ssize_t)i), &columns->columns[i], from, n) < 0)
			return -1;
	return 0;
}
