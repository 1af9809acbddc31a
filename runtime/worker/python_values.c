/* Values between columns and Python, both ways. */
#include "runtime/worker/python.h"

#include <datetime.h>

#include "lib/base/hash.h"

#define MS_PER_DAY        86400000
#define CACHED_STRINGS    1024 /* power of 2 */
#define CACHED_BYTES_MAX  64
#define DATETIME_DAYS_MIN (-719162) /* 0001-01-01 */
#define DATETIME_DAYS_MAX 2932896   /* 9999-12-31 */

/* Short ASCII strings come again and again (keys, kinds, states): one object serves them, hash and all. */
static PyObject *cached_strings[CACHED_STRINGS];

static size_t cache_place(struct slice text)
{
	uint64_t hash = text.size, word;

	for (size_t at = 0; at < text.size; at += sizeof(word)) {
		size_t left = text.size - at;

		word = 0;
		memcpy(&word, text.data + at, left < sizeof(word) ? left : sizeof(word));
		hash = hash_mix(hash ^ word);
	}
	return hash & (CACHED_STRINGS - 1);
}

static bool is_ascii(struct slice text)
{
	typedef uint64_t pair __attribute__((vector_size(16)));
	pair first = {0, 0}, second = {0, 0}, word;
	unsigned char last = 0;
	size_t at = 0;

	for (; at + 2 * sizeof(word) <= text.size; at += 2 * sizeof(word)) {
		memcpy(&word, text.data + at, sizeof(word));
		first |= word;
		memcpy(&word, text.data + at + sizeof(word), sizeof(word));
		second |= word;
	}
	for (; at < text.size; at++)
		last |= (unsigned char)text.data[at];
	first |= second;
	return !((first[0] | first[1] | last) & 0x8080808080808080);
}

/* ASCII is copied as it is; the decoder looks at each byte as it goes. */
static PyObject *long_string(struct slice text)
{
	PyObject *string;

	if (!is_ascii(text))
		return PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.size, "strict");
	string = PyUnicode_New((Py_ssize_t)text.size, 127);
	if (string)
		memcpy(PyUnicode_1BYTE_DATA(string), text.data, text.size);
	return string;
}

static PyObject *string_object(struct slice text)
{
	PyObject **place, *string;

	if (text.size > CACHED_BYTES_MAX)
		return long_string(text);
	place = &cached_strings[cache_place(text)];
	string = *place;
	if (string && (size_t)PyUnicode_GET_LENGTH(string) == text.size &&
	    memcmp(PyUnicode_1BYTE_DATA(string), text.data, text.size) == 0)
		return Py_NewRef(string);
	string = PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.size, "strict");
	if (string && PyUnicode_IS_COMPACT_ASCII(string))
		Py_XSETREF(*place, Py_NewRef(string));
	return string;
}

/* A naive datetime that means UTC, as PyFlink's are. Days to date after Howard Hinnant. */
static PyObject *datetime_object(int64_t ms)
{
	int64_t days = ms / MS_PER_DAY - (ms % MS_PER_DAY < 0), rest = ms - days * MS_PER_DAY;
	int64_t z = days + 719468, era, doe, yoe, doy, mp;
	int year, month, day;

	if (!PyDateTimeAPI)
		PyDateTime_IMPORT;
	if (!PyDateTimeAPI)
		return NULL;
	if (days < DATETIME_DAYS_MIN || days > DATETIME_DAYS_MAX)
		return PyErr_Format(PyExc_OverflowError, "timestamp %lld ms is outside of datetime's years 1 to 9999",
		                    (long long)ms);
	era = z / 146097; /* the years are positive, so is z */
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	day = (int)(doy - (153 * mp + 2) / 5 + 1);
	month = (int)(mp < 10 ? mp + 3 : mp - 9);
	year = (int)(yoe + era * 400 + (month <= 2));
	return PyDateTime_FromDateAndTime(year, month, day, (int)(rest / 3600000), (int)(rest / 60000 % 60),
	                                  (int)(rest / 1000 % 60), (int)(rest % 1000 * 1000));
}

PyObject *value_object(const struct wire_column *column, size_t row)
{
	if (!column->valid[row])
		return Py_NewRef(Py_None);
	switch (column->type) {
	case TYPE_BOOLEAN:
		return PyBool_FromLong(column->booleans[row]);
	case TYPE_INT:
		return PyLong_FromLong(column->ints[row]);
	case TYPE_BIGINT:
		return PyLong_FromLongLong(column->bigints[row]);
	case TYPE_DOUBLE:
		return PyFloat_FromDouble(column->doubles[row]);
	case TYPE_STRING:
		return string_object(wire_string(column, row));
	case TYPE_TIMESTAMP:
		return datetime_object(column->bigints[row]);
	case TYPE_NULL:
		break;
	}
	return Py_NewRef(Py_None);
}

static int wrong_type(const struct grown_column *column, const PyObject *object)
{
	PyErr_Format(PyExc_TypeError, "the result is declared as %s, but the function gave %s", type_name(column->type),
	             Py_TYPE(object)->tp_name);
	return -1;
}

static int integer_value(const struct grown_column *column, PyObject *object, int64_t *ret_value)
{
	PyObject *integer;
	int overflow = 0;

	if (PyFloat_Check(object)) /* cut off, as PyFlink does; numpy's float64 is one */
		integer = PyNumber_Long(object);
	else if (PyIndex_Check(object))
		integer = PyNumber_Index(object);
	else
		return wrong_type(column, object);
	if (!integer)
		return -1;
	*ret_value = PyLong_AsLongLongAndOverflow(integer, &overflow);
	Py_DECREF(integer);
	if (overflow || (column->type == TYPE_INT && (*ret_value > INT32_MAX || *ret_value < INT32_MIN))) {
		PyErr_Format(PyExc_OverflowError, "%S does not fit the declared %s", object, type_name(column->type));
		return -1;
	}
	return *ret_value == -1 && PyErr_Occurred() ? -1 : 0;
}

static int real_value(const struct grown_column *column, PyObject *object, double *ret_value)
{
	if (PyUnicode_Check(object) || (!PyFloat_Check(object) && !PyNumber_Check(object)))
		return wrong_type(column, object);
	*ret_value = PyFloat_AsDouble(object);
	return *ret_value == -1.0 && PyErr_Occurred() ? -1 : 0;
}

static int string_value(const struct grown_column *column, PyObject *object, struct slice *ret_value)
{
	Py_ssize_t size;

	if (!PyUnicode_Check(object))
		return wrong_type(column, object);
	ret_value->data = PyUnicode_AsUTF8AndSize(object, &size);
	ret_value->size = (size_t)size;
	return ret_value->data ? 0 : -1;
}

static int timestamp_value(PyObject *object, int64_t *ret_value)
{
	PyObject *ms = PyObject_CallOneArg(python.to_milliseconds, object);

	if (!ms)
		return -1;
	*ret_value = PyLong_AsLongLong(ms);
	Py_DECREF(ms);
	return *ret_value == -1 && PyErr_Occurred() ? -1 : 0;
}

/* A number is true where it is not 0, as in PyFlink. */
static int boolean_value(const struct grown_column *column, PyObject *object, bool *ret_value)
{
	const char *name = Py_TYPE(object)->tp_name;
	int truth;

	if (!PyBool_Check(object) && !PyIndex_Check(object) && strcmp(name, "numpy.bool_") != 0 &&
	    strcmp(name, "numpy.bool") != 0)
		return wrong_type(column, object);
	truth = PyObject_IsTrue(object);
	*ret_value = truth > 0;
	return truth < 0 ? -1 : 0;
}

int object_value(struct grown_column *column, PyObject *object, size_t field)
{
	struct value value = {.type = column->type, .null = object == Py_None};
	PyObject *converted = NULL;
	int result = 0;

	if (python.converters[field] && !value.null) {
		converted = PyObject_CallOneArg(python.converters[field], object);
		if (!converted)
			return -1;
		object = converted;
	}
	if (!value.null && column->type == TYPE_DOUBLE)
		result = real_value(column, object, &value.real);
	else if (!value.null && (column->type == TYPE_INT || column->type == TYPE_BIGINT))
		result = integer_value(column, object, &value.bigint);
	else if (!value.null && column->type == TYPE_STRING)
		result = string_value(column, object, &value.string);
	else if (!value.null && column->type == TYPE_TIMESTAMP)
		result = timestamp_value(object, &value.bigint);
	else if (!value.null)
		result = boolean_value(column, object, &value.boolean);
	if (result == 0)
		grown_column_add(column, value);
	Py_XDECREF(converted);
	return result;
}

static int put_fields(struct worker *worker, PyObject *row)
{
	size_t before = worker->results[0].count;

	for (size_t c = 0; c < worker->results_count; c++) {
		if (object_value(&worker->results[c], PyTuple_GET_ITEM(row, (Py_ssize_t)c), c) == 0)
			continue;
		for (size_t i = 0; i < c; i++)
			grown_column_truncate(&worker->results[i], before);
		return -1;
	}
	return 0;
}

int put_result(struct worker *worker, PyObject *result)
{
	PyObject *count, *row;
	int put;

	if (!python.row_result && !python.converters[0] && PyFloat_CheckExact(result) &&
	    worker->results[0].type == TYPE_DOUBLE) {
		grown_column_add_double(&worker->results[0], PyFloat_AS_DOUBLE(result)); /* most often */
		return 0;
	}
	if (!python.row_result)
		return object_value(&worker->results[0], result, 0);
	if (result == Py_None) {
		put_null_result(worker);
		return 0;
	}
	if (PyTuple_CheckExact(result) && (size_t)PyTuple_GET_SIZE(result) == worker->results_count)
		return put_fields(worker, result);
	count = PyLong_FromSize_t(worker->results_count);
	row = count ? PyObject_CallFunctionObjArgs(python.row_values, result, count, NULL) : NULL;
	Py_XDECREF(count);
	if (!row)
		return -1;
	put = put_fields(worker, row);
	Py_DECREF(row);
	return put;
}

void put_null_result(struct worker *worker)
{
	for (size_t c = 0; c < worker->results_count; c++)
		grown_column_add(&worker->results[c], (struct value){.type = worker->results[c].type, .null = true});
}
