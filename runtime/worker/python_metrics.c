/* The function's counters and gauges, put where the runtime can read them without a call. */
#include <stdio.h>

#include "lib/process/system_clock.h"
#include "runtime/worker/python.h"

#define PUBLISH_EVERY_MS 250

static bool copy_text(char *to, size_t size, PyObject *text)
{
	const char *bytes = text && PyUnicode_Check(text) ? PyUnicode_AsUTF8(text) : NULL;

	return bytes && (size_t)snprintf(to, size, "%s", bytes) < size;
}

/* (name, "counter" | "gauge", ((label, value), …), number). False: it does not fit. */
static bool put_sample(struct udf_shared_metric *metric, PyObject *sample)
{
	PyObject *name, *kind, *labels;
	double value;

	if (!PyArg_ParseTuple(sample, "OOO!d", &name, &kind, &PyTuple_Type, &labels, &value) ||
	    PyTuple_GET_SIZE(labels) > UDF_LABELS_MAX || !copy_text(metric->name, sizeof(metric->name), name))
		return false;
	metric->kind = PyUnicode_Check(kind) && PyUnicode_CompareWithASCIIString(kind, "counter") == 0 ? 0 : 1;
	metric->value = value;
	metric->labels_count = (uint32_t)PyTuple_GET_SIZE(labels);
	for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(labels); i++) {
		PyObject *pair = PyTuple_GET_ITEM(labels, i);

		if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2 ||
		    !copy_text(metric->labels[i].name, sizeof(metric->labels[i].name), PyTuple_GET_ITEM(pair, 0)) ||
		    !copy_text(metric->labels[i].value, sizeof(metric->labels[i].value), PyTuple_GET_ITEM(pair, 1)))
			return false;
	}
	return true;
}

/* Each of the two once a process: it ends in the job's log. */
static void say_left_out(PyObject *sample, uint32_t count)
{
	static bool said_too_many, said_too_long;
	bool too_many = count == UDF_SHARED_METRICS_MAX, *said = too_many ? &said_too_many : &said_too_long;
	PyObject *name = PyTuple_Check(sample) && PyTuple_GET_SIZE(sample) ? PyTuple_GET_ITEM(sample, 0) : Py_None;

	if (*said)
		return;
	*said = true;
	if (too_many)
		PySys_FormatStderr(
		        "metric %S and those after it are not shown: a function has at most %d (a distribution is 4)\n",
		        name, UDF_SHARED_METRICS_MAX);
	else
		PySys_FormatStderr(
		        "metric %S is not shown: its name has more than 63 bytes, or it has more than %d labels, or "
		        "the name of one has more than 31 bytes, or its value more than 63\n",
		        name, UDF_LABELS_MAX);
	PyErr_Clear();
}

static uint32_t put_samples(struct udf_control *control, PyObject *samples)
{
	uint32_t count = 0;

	for (Py_ssize_t i = 0; PyList_Check(samples) && i < PyList_GET_SIZE(samples); i++) {
		PyObject *sample = PyList_GET_ITEM(samples, i);

		if (count < UDF_SHARED_METRICS_MAX && put_sample(&control->metrics[count], sample))
			count++;
		else
			say_left_out(sample, count);
		PyErr_Clear();
	}
	return count;
}

void publish_metrics(struct worker *worker, bool now)
{
	static int64_t last_ms;
	PyObject *metrics, *samples;

	if (!now && clock_monotonic_ms(&system_clock) - last_ms < PUBLISH_EVERY_MS)
		return;
	last_ms = clock_monotonic_ms(&system_clock);
	metrics = PyObject_GetAttrString(python.loaded, "metrics");
	samples = metrics ? PyObject_CallMethod(metrics, "samples", NULL) : NULL;
	if (samples) {
		atomic_fetch_add(&worker->control->metrics_version, 1);
		atomic_store(&worker->control->metrics_count, put_samples(worker->control, samples));
		atomic_fetch_add(&worker->control->metrics_version, 1);
	}
	Py_XDECREF(samples);
	Py_XDECREF(metrics);
	PyErr_Clear();
}
