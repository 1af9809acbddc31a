/* The function's own metrics, as it last put them into the shared memory: copied, then looked at. */
#include <ctype.h>
#include <stdatomic.h>

#include "lib/base/text.h"
#include "runtime/udf/life.h"

/* NUL-terminated within its room, and a name of the Prometheus text format. */
static bool take_name(char *to, const char *from, size_t size)
{
	memcpy(to, from, size);
	to[size - 1] = '\0';
	if (!to[0] || isdigit((unsigned char)to[0]))
		return false;
	for (const char *c = to; *c; c++)
		if ((unsigned char)*c >= 0x80 || (!isalnum((unsigned char)*c) && *c != '_'))
			return false;
	return true;
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
	for (uint32_t i = 0; i < labels; i++) {
		struct udf_label *label = &metric->labels[i];

		memcpy(label->value, shared->labels[i].value, sizeof(label->value));
		label->value[sizeof(label->value) - 1] = '\0';
		if (!take_name(label->name, shared->labels[i].name, sizeof(label->name)) ||
		    !text_is_utf8(slice_of(label->value)))
			return false;
	}
	return true;
}

size_t udf_metrics(struct udf_worker *worker, struct udf_metric *ret_metrics, size_t max)
{
	uint32_t there = atomic_load(&worker->control->metrics_count);
	size_t count = 0;

	for (uint32_t i = 0; i < there && i < UDF_SHARED_METRICS_MAX && count < max; i++) {
		struct udf_shared_metric copy = worker->control->metrics[i];

		atomic_signal_fence(memory_order_seq_cst); /* or the compiler may read again what was checked */
		count += take_metric(&copy, &ret_metrics[count]);
	}
	return count;
}
