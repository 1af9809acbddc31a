/* Exceptions as reasons: the traceback as the author wrote the code, then the values of the row. */
#include "runtime/worker/python.h"

#define FULL_REASONS_MAX 16 /* of a batch: tracebacks of the others are left out, they cost more than the row */

/* The exception that is set, with its traceback; a new reference. */
static PyObject *take_exception(void)
{
	PyObject *type, *value, *traceback;

	PyErr_Fetch(&type, &value, &traceback);
	PyErr_NormalizeException(&type, &value, &traceback);
	if (value && traceback)
		PyException_SetTraceback(value, traceback);
	Py_XDECREF(type);
	Py_XDECREF(traceback);
	return value;
}

static void append_object(struct buffer *out, PyObject *text)
{
	Py_ssize_t size;
	const char *bytes = text && PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, &size) : NULL;

	if (bytes)
		buffer_append(out, bytes, (size_t)size);
	PyErr_Clear();
}

static void append_called(struct buffer *out, PyObject *function, PyObject *argument)
{
	PyObject *text = argument ? PyObject_CallOneArg(function, argument) : NULL;

	append_object(out, text);
	PyErr_Clear();
	Py_XDECREF(text);
}

static void append_short(struct buffer *out, PyObject *exception)
{
	PyObject *text = PyObject_Str(exception);

	buffer_append_text(out, Py_TYPE(exception)->tp_name);
	buffer_append_text(out, ": ");
	append_object(out, text);
	PyErr_Clear();
	Py_XDECREF(text);
}

static void append_arguments(struct buffer *out, PyObject *const *arguments, size_t count)
{
	buffer_append_text(out, "\nwith (");
	for (size_t i = 0; i < count; i++) {
		buffer_append_text(out, i ? ", " : "");
		append_called(out, python.shortened, arguments[i]);
	}
	buffer_append_text(out, ")");
}

static const char cut_mark[] = "\n  …\n";

/* What matters stands at the two ends: where it began, and the exception with the row's values. */
static void cut_middle(struct buffer *text)
{
	size_t keep = (UDF_REASON_BYTES_MAX - sizeof(cut_mark)) / 2, head = keep, tail = text->size - keep;

	if (text->size <= UDF_REASON_BYTES_MAX - 4)
		return;
	while (((unsigned char)text->data[head] & 0xc0) == 0x80)
		head--;
	while (tail < text->size && ((unsigned char)text->data[tail] & 0xc0) == 0x80)
		tail++;
	memmove(text->data + head + sizeof(cut_mark) - 1, text->data + tail, text->size - tail);
	memcpy(text->data + head, cut_mark, sizeof(cut_mark) - 1);
	text->size = head + sizeof(cut_mark) - 1 + text->size - tail;
}

void row_raised(struct worker *worker, uint32_t row, PyObject *const *arguments, size_t count)
{
	PyObject *exception;
	struct buffer text;

	if (PyErr_ExceptionMatches(PyExc_MemoryError))
		worker->out_of_memory = true;
	exception = take_exception();
	buffer_init(&text);
	if (exception && worker->failures_count < FULL_REASONS_MAX)
		append_called(&text, python.describe, exception);
	if (exception && !text.size)
		append_short(&text, exception);
	if (arguments)
		append_arguments(&text, arguments, count);
	cut_middle(&text);
	worker_row_failed(worker, row, buffer_slice(&text));
	buffer_release(&text);
	Py_XDECREF(exception);
}

int call_raised(struct worker *worker)
{
	bool out_of_memory = PyErr_ExceptionMatches(PyExc_MemoryError);
	PyObject *exception = take_exception();
	struct buffer text;
	int status;

	buffer_init(&text);
	if (exception && python.describe)
		append_called(&text, python.describe, exception);
	if (exception && !text.size)
		append_short(&text, exception);
	cut_middle(&text);
	status = worker_error(worker, buffer_slice(&text));
	buffer_release(&text);
	Py_XDECREF(exception);
	return out_of_memory ? REPLY_EXHAUSTED : status;
}
