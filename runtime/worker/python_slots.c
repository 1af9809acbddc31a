/* The accumulators: tables of slots, their values, their bytes, and how two become one. */
#include "runtime/worker/python.h"

#define SLOTS_MIN 64

/* Without one being made. */
static PyObject **slot_place(uint32_t table, uint32_t slot)
{
	struct accumulators *here = &python.tables[table];
	size_t capacity = here->capacity ? here->capacity : SLOTS_MIN;
	PyObject **items;

	if (slot < here->capacity)
		return &here->items[slot];
	if (slot >= UDF_SLOTS_MAX) {
		PyErr_Format(PyExc_OverflowError, "more than %u groups", UDF_SLOTS_MAX);
		return NULL;
	}
	while (capacity <= slot)
		capacity *= 2;
	items = PyMem_Realloc(here->items, capacity * sizeof(*items));
	if (!items) {
		PyErr_NoMemory();
		return NULL;
	}
	memset(items + here->capacity, 0, (capacity - here->capacity) * sizeof(*items));
	*here = (struct accumulators){items, capacity};
	return &here->items[slot];
}

PyObject **slot_of(struct worker *worker, uint32_t table, uint32_t slot)
{
	PyObject **place = slot_place(table, slot);

	if (!place || *place)
		return place;
	atomic_store_explicit(&worker->control->method, METHOD_CREATE_ACCUMULATOR, memory_order_relaxed);
	*place = PyObject_CallNoArgs(python.create_accumulator);
	return *place ? place : NULL;
}

/* table, n and the slots of a request; NULL where they cannot be read. */
static const uint32_t *take_slots(struct worker *worker, uint32_t *ret_table)
{
	const uint32_t *slots;

	*ret_table = wire_take_u32(&worker->in);
	worker->n = wire_take_u32(&worker->in);
	slots = wire_take_u32s(&worker->in, worker->n);
	return *ret_table < UDF_TABLES ? slots : NULL;
}

static int bad_request(struct worker *worker)
{
	return worker_error(worker, SLICE_LITERAL("the request could not be read: the function wrote over it"));
}

int values_of_slots(struct worker *worker)
{
	uint32_t table;
	const uint32_t *slots = take_slots(worker, &table);

	if (!slots)
		return bad_request(worker);
	for (uint32_t i = 0; i < worker->n && !worker->out_of_memory; i++) {
		PyObject **slot, *result;

		worker_at_row(worker, i);
		slot = slot_of(worker, table, slots[i]);
		worker_at(worker, METHOD_GET_VALUE, i);
		result = slot ? PyObject_CallOneArg(python.get_value, *slot) : NULL;
		if (!result || put_result(worker, result) < 0) {
			row_raised(worker, i, NULL, 0);
			put_null_result(worker);
		}
		Py_XDECREF(result);
	}
	return REPLY_OK;
}

static PyObject *saved_bytes(PyObject *accumulator)
{
	PyObject *bytes = PyObject_CallOneArg(python.save ? python.save : python.dumps, accumulator);

	if (bytes && !PyBytes_Check(bytes)) {
		PyErr_Format(PyExc_TypeError, "save() gives bytes, not %s", Py_TYPE(bytes)->tp_name);
		Py_CLEAR(bytes);
	}
	return bytes;
}

int save_slots(struct worker *worker)
{
	struct grown_column *out = &worker->results[worker->results_count];
	uint32_t table;
	const uint32_t *slots = take_slots(worker, &table);

	if (!slots)
		return bad_request(worker);
	for (uint32_t i = 0; i < worker->n && !worker->out_of_memory; i++) {
		struct value value = {.type = TYPE_STRING};
		PyObject **slot, *bytes;

		worker_at_row(worker, i);
		slot = slot_of(worker, table, slots[i]);
		worker_at(worker, METHOD_SAVE, i);
		bytes = slot ? saved_bytes(*slot) : NULL;
		value.null = !bytes;
		if (bytes)
			value.string = (struct slice){PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes)};
		else
			row_raised(worker, i, NULL, 0);
		if (out->strings.size + value.string.size > UDF_REPLY_BYTES_MAX) {
			Py_XDECREF(bytes);
			return REPLY_TOO_LARGE;
		}
		grown_column_add(out, value);
		Py_XDECREF(bytes);
	}
	return REPLY_OK;
}

static int merge_into(struct worker *worker, PyObject **place, struct slice bytes, uint32_t i)
{
	PyObject *saved = PyBytes_FromStringAndSize(bytes.data, (Py_ssize_t)bytes.size), *loaded, *others, *result;

	worker_at(worker, METHOD_LOAD, i);
	loaded = saved ? PyObject_CallOneArg(python.load ? python.load : python.loads, saved) : NULL;
	Py_XDECREF(saved);
	if (!loaded)
		return -1;
	if (!*place) {
		*place = loaded;
		return 0;
	}
	worker_at(worker, METHOD_MERGE, i);
	if (!python.merge) {
		Py_DECREF(loaded);
		PyErr_SetString(PyExc_TypeError, "the function has no merge(): two partial results cannot become one");
		return -1;
	}
	others = PyList_New(1);
	if (!others) {
		Py_DECREF(loaded);
		return -1;
	}
	PyList_SET_ITEM(others, 0, loaded);
	result = PyObject_CallFunctionObjArgs(python.merge, *place, others, NULL);
	Py_DECREF(others);
	Py_XDECREF(result);
	return result ? 0 : -1;
}

int merge_slots(struct worker *worker)
{
	struct wire_column saved;
	uint32_t table;
	const uint32_t *slots = take_slots(worker, &table);

	if (slots)
		wire_take_column(&worker->in, worker->n, &saved);
	if (!slots || worker->in.bad || saved.type != TYPE_STRING)
		return bad_request(worker);
	for (uint32_t i = 0; i < worker->n && !worker->out_of_memory; i++) {
		PyObject **place;

		if (!saved.valid[i])
			continue;
		worker_at(worker, METHOD_MERGE, i);
		place = slot_place(table, slots[i]);
		if (!place || merge_into(worker, place, wire_string(&saved, i), i) < 0)
			row_raised(worker, i, NULL, 0);
	}
	return REPLY_OK;
}

int clear_table(struct worker *worker)
{
	uint32_t table = wire_take_u32(&worker->in);
	struct accumulators here;

	if (table >= UDF_TABLES)
		return bad_request(worker);
	here = python.tables[table];
	python.tables[table] = (struct accumulators){0};
	for (size_t i = 0; i < here.capacity; i++)
		Py_XDECREF(here.items[i]);
	PyMem_Free(here.items);
	PyErr_Clear();
	return REPLY_OK;
}
