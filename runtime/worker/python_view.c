/*
 * The shared memory as a Python object: read-only, without a copy. The next request writes over it, so a function must
 * not hold on to a column; the view counts who does.
 */
#include "runtime/worker/python.h"

struct view {
	PyObject head;
	const void *data;
	Py_ssize_t size;
	size_t looks;
};

static int get_buffer(PyObject *self, Py_buffer *buffer, int flags)
{
	struct view *view = (struct view *)self;
	union {
		const void *read_only;
		void *plain;
	} data = {.read_only = view->data};

	if (PyBuffer_FillInfo(buffer, self, data.plain, view->size, 1, flags) < 0)
		return -1;
	view->looks++;
	return 0;
}

static void release_buffer(PyObject *self, Py_buffer *buffer)
{
	(void)buffer;
	((struct view *)self)->looks--;
}

static PyBufferProcs procs = {get_buffer, release_buffer};

static PyTypeObject type = {
        PyVarObject_HEAD_INIT(NULL, 0).tp_name = "streamjob.shared_column",
        .tp_basicsize = sizeof(struct view),
        .tp_as_buffer = &procs,
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
};

int shared_view_type(void)
{
	return PyType_Ready(&type);
}

PyObject *shared_view(const void *data, size_t size)
{
	struct view *view = PyObject_New(struct view, &type);

	if (!view)
		return NULL;
	view->data = data;
	view->size = (Py_ssize_t)size;
	view->looks = 0;
	return (PyObject *)view;
}

bool shared_view_is_kept(PyObject *view)
{
	return ((struct view *)view)->looks != 0;
}
