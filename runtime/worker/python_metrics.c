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

/* (name, "counter" | "gauge", ((label, value), …), number). What does not fit is left out. */
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

void publish_metrics(struct worker *worker, bool now)
{
	static int64_t last_ms;
	PyObject *metrics, *samples;
	uint32_t count = 0;

	if (!now && clock_monotonic_ms(&system_clock) - last_ms < PUBLISH_EVERY_MS)
		return;
	last_ms = clock_monotonic_ms(&system_clock);
	metrics = PyObject_GetAttrString(python.loaded, "metrics");
	samples = metrics ? PyObject_CallMethod(metrics, "samples", NULL) : NULL;
	for (Py_ssize_t i = 0; samples && PyList_Check(samples) && i < PyList_GET_SIZE(samples); i++) {
		if (count == UDF_SHARED_METRICS_MAX)
			break;
		if (put_sample(&worker->control->metrics[count], PyList_GET_ITEM(samples, i)))
			count++;
		PyErr_Clear();
	}
	atomic_store(&worker->control->metrics_count, count);
	Py_XDECREF(samples);
	Py_XDECREF(metrics);
	PyErr_Clear();
}
