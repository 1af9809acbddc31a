/* The function in the interpreter, and which call goes where. */
#include <stdlib.h>

#include "lib/spec/field/function_spec.h"
#include "lib/base/memory.h"
#include "runtime/worker/python.h"

static PyObject *text_object(struct slice text)
{
	return PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.size, "replace");
}

/* sys.path begins with the folder. */
static int look_first_in(struct slice folder)
{
	PyObject *path = PySys_GetObject("path"), *text = text_object(folder);
	int result = path && text ? PyList_Insert(path, 0, text) : -1;

	Py_XDECREF(text);
	return result;
}

static PyObject *attribute(PyObject *owner, const char *name)
{
	PyObject *found = PyObject_GetAttrString(owner, name);

	if (found == Py_None)
		Py_CLEAR(found);
	else if (!found)
		PyErr_Clear();
	return found;
}

static int import_own(void)
{
	PyObject *pickle = PyImport_ImportModule("pickle");

	python.api = PyImport_ImportModule("streamjob.worker_api");
	python.columns = python.api ? PyImport_ImportModule("streamjob.columns") : NULL;
	python.results = python.columns ? PyImport_ImportModule("streamjob.results") : NULL;
	if (!pickle || !python.results)
		return -1;
	python.dumps = attribute(pickle, "dumps");
	python.loads = attribute(pickle, "loads");
	python.describe = attribute(python.api, "describe");
	python.shortened = attribute(python.api, "short");
	python.row_values = attribute(python.results, "row_values");
	python.emitted = attribute(python.results, "emitted");
	python.to_milliseconds = attribute(python.columns, "to_milliseconds");
	python.wrap = attribute(python.columns, "wrap");
	python.unwrap = attribute(python.columns, "unwrap");
	Py_DECREF(pickle);
	for (int t = TYPE_BOOLEAN; t < TYPE_COUNT; t++)
		python.type_names[t] = PyUnicode_InternFromString(type_name((enum type)t));
	return 0;
}

/* [(name, type)] of the job file's `returns`, or None. */
static PyObject *take_declared(struct wire_in *in)
{
	uint32_t count = wire_take_u32(in);
	PyObject *list = count ? PyList_New(0) : Py_NewRef(Py_None);

	for (uint32_t i = 0; list && i < count && !in->bad; i++) {
		struct slice name = wire_take_text(in), type = wire_take_text(in);
		PyObject *pair =
		        Py_BuildValue("(s#s#)", name.data, (Py_ssize_t)name.size, type.data, (Py_ssize_t)type.size);

		if (!pair || PyList_Append(list, pair) < 0)
			Py_CLEAR(list);
		Py_XDECREF(pair);
	}
	return list;
}

static PyObject *take_parameters(struct wire_in *in)
{
	uint32_t count = wire_take_u32(in);
	PyObject *map = PyDict_New();

	for (uint32_t i = 0; map && i < count && !in->bad; i++) {
		PyObject *key = text_object(wire_take_text(in)), *value = text_object(wire_take_text(in));

		if (!key || !value || PyDict_SetItem(map, key, value) < 0)
			Py_CLEAR(map);
		Py_XDECREF(key);
		Py_XDECREF(value);
	}
	return map;
}

/* (distinct, row, [name of an argument]): how the job's expressions call it. */
static PyObject *take_form(struct wire_in *in)
{
	bool distinct = wire_take_u32(in) != 0, row = wire_take_u32(in) != 0;
	uint32_t count = wire_take_u32(in);
	PyObject *names = PyList_New(0);

	for (uint32_t i = 0; names && i < count && !in->bad; i++) {
		PyObject *name = text_object(wire_take_text(in));

		if (!name || PyList_Append(names, name) < 0)
			Py_CLEAR(names);
		Py_XDECREF(name);
	}
	return names ? Py_BuildValue("(OON)", distinct ? Py_True : Py_False, row ? Py_True : Py_False, names) : NULL;
}

static int load(struct worker *worker)
{
	struct wire_in *in = &worker->in;
	struct slice entrypoint = wire_take_text(in), kind = wire_take_text(in);
	bool has_source = wire_take_u32(in) != 0;
	struct slice source = wire_take_text(in), filename = wire_take_text(in), folder = wire_take_text(in);
	PyObject *declared = take_declared(in), *parameters = take_parameters(in), *form = take_form(in);

	if (folder.size && look_first_in(folder) < 0)
		return -1;
	if (declared && parameters && form)
		python.loaded = PyObject_CallMethod(python.api, "load", "s#z#s#s#OOO", entrypoint.data,
		                                    (Py_ssize_t)entrypoint.size, has_source ? source.data : NULL,
		                                    (Py_ssize_t)source.size, filename.data, (Py_ssize_t)filename.size,
		                                    kind.data, (Py_ssize_t)kind.size, declared, parameters, form);
	Py_XDECREF(declared);
	Py_XDECREF(parameters);
	Py_XDECREF(form);
	return python.loaded ? 0 : -1;
}

static bool is_true(const char *name)
{
	PyObject *found = attribute(python.loaded, name);
	bool is = found && PyObject_IsTrue(found) == 1;

	Py_XDECREF(found);
	return is;
}

static void take_methods(void)
{
	python.open = attribute(python.loaded, "open");
	python.close = attribute(python.loaded, "close");
	python.eval = attribute(python.loaded, "eval");
	python.create_accumulator = attribute(python.loaded, "create_accumulator");
	python.accumulate = attribute(python.loaded, "accumulate");
	python.get_value = attribute(python.loaded, "get_value");
	python.emit_value = attribute(python.loaded, "emit_value");
	python.merge = attribute(python.loaded, "merge");
	python.save = attribute(python.loaded, "save");
	python.load = attribute(python.loaded, "load");
	python.columns_kind = attribute(python.loaded, "columns");
	python.keeps_columns = is_true("keeps_columns");
	python.run_rows = attribute(python.loaded, "run_rows");
}

static int take_results(struct worker *worker)
{
	PyObject *fields = attribute(python.loaded, "result_fields");
	PyObject *converters = attribute(python.loaded, "converters");
	Py_ssize_t count = fields && PyList_Check(fields) ? PyList_GET_SIZE(fields) : 0;

	if (count < 1 || count > UDF_RESULTS_MAX) {
		PyErr_Format(PyExc_ValueError, "a result of %zd fields; 1 to %d can be", count, UDF_RESULTS_MAX);
		return -1;
	}
	python.row_result = is_true("row_result");
	worker->results = xcalloc((size_t)count + 1, sizeof(*worker->results));
	worker->results_count = (size_t)count;
	for (Py_ssize_t i = 0; i < count; i++) {
		const char *name, *type;
		enum type parsed;

		if (!PyArg_ParseTuple(PyList_GET_ITEM(fields, i), "ss", &name, &type))
			return -1;
		if (!type_parse(slice_of(type), &parsed)) {
			PyErr_Format(PyExc_ValueError, "result field %s has type %s, which no column has", name, type);
			return -1;
		}
		if (converters && PyList_Check(converters) && PyList_GET_ITEM(converters, i) != Py_None)
			python.converters[i] = Py_NewRef(PyList_GET_ITEM(converters, i));
		grown_column_init(&worker->results[i], parsed);
		wire_put_text(&worker->out, slice_of(name));
		wire_put_u32(&worker->out, parsed);
	}
	grown_column_init(&worker->results[count], TYPE_STRING);
	Py_XDECREF(fields);
	Py_XDECREF(converters);
	return 0;
}

static int put_argument_types(struct worker *worker)
{
	PyObject *types = attribute(python.loaded, "argument_types"), *names;
	Py_ssize_t count = types && PyList_Check(types) ? PyList_GET_SIZE(types) : 0;

	names = attribute(python.loaded, "argument_names"); /* of all that have a type */
	for (Py_ssize_t i = 0; names && i < count && i < UDF_ARGUMENTS_MAX && i < PyList_GET_SIZE(names); i++)
		python.argument_names[i] = Py_NewRef(PyList_GET_ITEM(names, i));
	Py_XDECREF(names);
	wire_put_u32(&worker->out, (uint32_t)count);
	for (Py_ssize_t i = 0; i < count; i++) {
		const char *name = PyUnicode_AsUTF8(PyList_GET_ITEM(types, i));
		enum type type = TYPE_NULL;

		if (!name || !type_parse(slice_of(name), &type)) {
			PyErr_Format(PyExc_ValueError, "argument %zd has a type that no column has", i + 1);
			Py_DECREF(types);
			return -1;
		}
		wire_put_u32(&worker->out, type);
	}
	Py_XDECREF(types);
	return 0;
}

static int put_signature(struct worker *worker)
{
	PyObject *arity = attribute(python.loaded, "arity"), *fields;
	int least = 0, most = -1;

	if (!arity || !PyArg_ParseTuple(arity, "ii", &least, &most))
		return -1;
	Py_DECREF(arity);
	wire_put_u32(&worker->out, python.columns_kind != NULL);
	wire_put_u32(&worker->out, python.merge != NULL);
	wire_put_u32(&worker->out, (uint32_t)least);
	wire_put_u32(&worker->out, most < 0 ? UDF_ARGUMENTS_MAX : (uint32_t)most);
	if (put_argument_types(worker) < 0)
		return -1;
	fields = attribute(python.loaded, "result_fields");
	wire_put_u32(&worker->out, fields && PyList_Check(fields) ? (uint32_t)PyList_GET_SIZE(fields) : 0);
	Py_XDECREF(fields);
	return take_results(worker);
}

static int open_function(void)
{
	PyObject *context = attribute(python.loaded, "context"), *result;

	if (!python.open) {
		Py_XDECREF(context);
		return 0;
	}
	result = PyObject_CallFunctionObjArgs(python.open, context, NULL);
	Py_XDECREF(context);
	Py_XDECREF(result);
	return result ? 0 : -1;
}

static int start(struct worker *worker)
{
	struct sandbox sandbox;
	struct slice folder;
	int status;

	worker_at(worker, METHOD_START, UDF_NO_ROW);
	worker_take_head(worker, &sandbox);
	folder = wire_take_text(&worker->in);
	status = worker_close_sandbox(worker, &sandbox);
	if (!status)
		status = python_begin(worker);
	if (status && status != REPLY_OK)
		return status;
	if (look_first_in(folder) < 0 || import_own() < 0)
		return call_raised(worker);
	status = worker_limit_memory(worker);
	if (status)
		return status;
	worker_at(worker, METHOD_IMPORT, UDF_NO_ROW);
	if (python_begin_packages() < 0 || load(worker) < 0)
		return call_raised(worker);
	take_methods();
	if (put_signature(worker) < 0)
		return call_raised(worker);
	worker_at(worker, METHOD_OPEN, UDF_NO_ROW);
	if (open_function() < 0)
		return call_raised(worker);
	publish_metrics(worker, true);
	return REPLY_OK;
}

static int close_function(struct worker *worker)
{
	PyObject *result;

	worker_at(worker, METHOD_CLOSE, UDF_NO_ROW);
	result = python.close ? PyObject_CallNoArgs(python.close) : Py_NewRef(Py_None);
	if (!result)
		return call_raised(worker);
	Py_DECREF(result);
	PyRun_SimpleString("import sys\nsys.stdout.flush()\nsys.stderr.flush()\n");
	return REPLY_OK;
}

static int call(struct worker *worker, enum udf_op op)
{
	int status = REPLY_ERROR;

	switch (op) {
	case OP_EVAL:
		status = python.columns_kind ? eval_columns(worker)
		         : python.run_rows   ? eval_async_rows(worker)
		                             : eval_rows(worker);
		break;
	case OP_EVAL_TABLE:
		status = eval_table_rows(worker);
		break;
	case OP_ACCUMULATE:
		status = python.columns_kind ? accumulate_columns(worker) : accumulate_rows(worker);
		break;
	case OP_VALUES:
		status = values_of_slots(worker);
		break;
	case OP_EMIT:
		status = emit_slots(worker);
		break;
	case OP_SAVE:
		status = save_slots(worker);
		break;
	case OP_MERGE:
		status = merge_slots(worker);
		break;
	case OP_CLEAR:
		status = clear_table(worker);
		break;
	case OP_CLOSE:
		return close_function(worker);
	case OP_START:
		break;
	}
	publish_metrics(worker, op == OP_VALUES || op == OP_EMIT);
	return status;
}

static PyThreadState *waiting;

static void wait_begins(void)
{
	waiting = Py_IsInitialized() ? PyEval_SaveThread() : NULL;
}

static void wait_ends(void)
{
	if (waiting)
		PyEval_RestoreThread(waiting);
	waiting = NULL;
}

const struct language python_language = {start, call, NULL, wait_begins, wait_ends};
