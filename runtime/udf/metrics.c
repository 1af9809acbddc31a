/* The function's own metrics, as it last put them into the shared memory: copied, then looked at. */
#include <ctype.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/text.h"
#include "runtime/udf/life.h"

#define READS_MAX 3 /* of metrics that are being written meanwhile */

/* NUL-terminated within its room, and a name of the Prometheus text format; those that begin with "__" are Prometheus's
 * own. */
static bool take_name(char *to, const char *from, size_t size)
{
	memcpy(to, from, size);
	to[size - 1] = '\0';
	if (!to[0] || isdigit((unsigned char)to[0]) || !strncmp(to, "__", 2))
		return false;
	for (const char *c = to; *c; c++)
		if ((unsigned char)*c >= 0x80 || (!isalnum((unsigned char)*c) && *c != '_'))
			return false;
	return true;
}

static int compare_labels(const void *left, const void *right)
{
	return strcmp(((const struct udf_label *)left)->name, ((const struct udf_label *)right)->name);
}

static bool take_label(const struct udf_shared_metric *shared, uint32_t i, struct udf_label *label)
{
	memcpy(label->value, shared->labels[i].value, sizeof(label->value));
	label->value[sizeof(label->value) - 1] = '\0';
	return take_name(label->name, shared->labels[i].name, sizeof(label->name)) &&
	       text_is_utf8(slice_of(label->value));
}

/* `shared` is a private copy. */
static bool take_metric(const struct udf_shared_metric *shared, struct udf_metric *metric)
{
	uint32_t labels = shared->labels_count;

	if (labels > UDF_METRIC_LABELS_MAX || !take_name(metric->name, shared->name, sizeof(metric->name)))
		return false;
	metric->kind = shared->kind == 0 ? UDF_COUNTER : UDF_GAUGE;
	metric->value = shared->value;
	metric->labels_count = labels;
	for (uint32_t i = 0; i < labels; i++)
		if (!take_label(shared, i, &metric->labels[i]))
			return false;
	qsort(metric->labels, labels, sizeof(metric->labels[0]), compare_labels);
	for (uint32_t i = 1; i < labels; i++)
		if (!compare_labels(&metric->labels[i - 1], &metric->labels[i]))
			return false;
	return true;
}

static size_t take_metrics(const struct udf_control *control, struct udf_metric *ret_metrics, size_t max)
{
	uint32_t there = atomic_load(&control->metrics_count);
	size_t count = 0;

	for (uint32_t i = 0; i < there && i < UDF_SHARED_METRICS_MAX && count < max; i++) {
		struct udf_shared_metric copy;

		memcpy(&copy, &control->metrics[i], sizeof(copy));
		atomic_signal_fence(memory_order_seq_cst); /* or the compiler may read again what was checked */
		count += take_metric(&copy, &ret_metrics[count]);
	}
	return count;
}

size_t udf_metrics(struct udf_worker *worker, struct udf_metric *ret_metrics, size_t max)
{
	const struct udf_control *control = worker->control;

	for (int reads = 0; reads < READS_MAX; reads++) {
		uint32_t version = atomic_load(&control->metrics_version);
		size_t count = take_metrics(control, ret_metrics, max);

		atomic_thread_fence(memory_order_acquire);
		if (version % 2 == 0 && version == atomic_load(&control->metrics_version))
			return count;
	}
	return 0;
}
