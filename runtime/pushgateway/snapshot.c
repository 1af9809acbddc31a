#include "runtime/pushgateway/snapshot.h"

#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/metrics/metrics.h"

struct metric_columns *metric_columns_new(const struct pushgateway_sink *spec, const struct schema *result)
{
	struct metric_columns *columns = xcalloc(spec->metrics_count, sizeof(*columns));

	for (size_t m = 0; m < spec->metrics_count; m++) {
		const struct metric_spec *metric = &spec->metrics[m];

		columns[m].value = (size_t)schema_find(result, slice_of(metric->value));
		columns[m].labels = xcalloc(metric->labels.count, sizeof(size_t));
		for (size_t l = 0; l < metric->labels.count; l++)
			columns[m].labels[l] = (size_t)schema_find(result, slice_of(metric->labels.items[l]));
	}
	return columns;
}

void metric_columns_free(struct metric_columns *columns, const struct pushgateway_sink *spec)
{
	for (size_t m = 0; columns && m < spec->metrics_count; m++)
		free(columns[m].labels);
	free(columns);
}

/* The labels of a row, without braces. `scratch` holds one value. */
static void append_labels(const struct metric_spec *metric, const struct metric_columns *columns,
                          const struct window_result *result, size_t row, struct buffer *scratch, struct buffer *out)
{
	for (size_t l = 0; l < metric->labels.count; l++) {
		buffer_clear(scratch);
		result_value_text(column_value(&result->rows.columns[columns->labels[l]], row), scratch);
		metrics_label(out, l == 0, metric->labels.items[l], buffer_slice(scratch));
	}
}

/* False where the value is NULL: such a sample is left out. */
static bool metric_value(const struct column *column, size_t row, double *ret_value)
{
	struct value value = column_value(column, row);

	*ret_value = value.type == TYPE_DOUBLE ? value.real : (double)value.bigint;
	return !value.null;
}

int snapshot_count(const struct pushgateway_sink *spec, const struct metric_columns *columns,
                   const struct window_result *result, struct totals *totals, size_t *ret_refused, struct error *err)
{
	struct buffer labels, scratch;
	int outcome = 0;

	buffer_init(&labels);
	buffer_init(&scratch);
	*ret_refused = 0;
	for (size_t m = 0; m < spec->metrics_count; m++) {
		if (spec->metrics[m].type != METRIC_COUNTER)
			continue;
		for (size_t row = 0; row < result->rows.rows && !outcome; row++) {
			double amount;

			if (!metric_value(&result->rows.columns[columns[m].value], row, &amount))
				continue;
			if (!(amount >= 0)) {
				(*ret_refused)++;
				continue;
			}
			buffer_clear(&labels);
			append_labels(&spec->metrics[m], &columns[m], result, row, &scratch, &labels);
			outcome = totals_add(&totals[m], buffer_slice(&labels), amount, err);
		}
	}
	buffer_release(&labels);
	buffer_release(&scratch);
	return outcome;
}

static void append_sample(struct buffer *out, const char *name, struct slice labels, double value)
{
	buffer_append_text(out, name);
	if (labels.size) {
		buffer_append_char(out, '{');
		buffer_append_slice(out, labels);
		buffer_append_char(out, '}');
	}
	metrics_number(out, value);
}

static void append_gauges(const struct metric_spec *metric, const struct metric_columns *columns,
                          const struct window_result *result, struct buffer *out)
{
	struct buffer labels, scratch;
	double value;

	buffer_init(&labels);
	buffer_init(&scratch);
	for (size_t row = 0; row < result->rows.rows; row++) {
		if (!metric_value(&result->rows.columns[columns->value], row, &value))
			continue;
		buffer_clear(&labels);
		append_labels(metric, columns, result, row, &scratch, &labels);
		append_sample(out, metric->name, buffer_slice(&labels), value);
	}
	buffer_release(&labels);
	buffer_release(&scratch);
}

static void append_counters(const struct metric_spec *metric, const struct totals *totals, struct buffer *out)
{
	for (size_t i = 0; i < totals->capacity; i++)
		if (totals->slots[i].labels)
			append_sample(out, metric->name, (struct slice){totals->slots[i].labels, totals->slots[i].size},
			              totals->slots[i].value);
}

static void append_window(struct buffer *out, const char *name, const char *help, double value)
{
	metrics_family(out, name, "gauge", help);
	append_sample(out, name, (struct slice){"", 0}, value);
}

void snapshot_render(const struct pushgateway_sink *spec, const struct metric_columns *columns,
                     const struct window_result *result, const struct totals *totals, struct buffer *out)
{
	for (size_t m = 0; m < spec->metrics_count; m++) {
		const struct metric_spec *metric = &spec->metrics[m];

		metrics_family(out, metric->name, metric->type == METRIC_COUNTER ? "counter" : "gauge", metric->help);
		if (metric->type == METRIC_COUNTER)
			append_counters(metric, &totals[m], out);
		else
			append_gauges(metric, &columns[m], result, out);
	}
	append_window(out, "streamjob_window_start_seconds", "Start of the window, Unix time.",
	              (double)result->start_ms / 1000);
	append_window(out, "streamjob_window_end_seconds", "End of the window, Unix time.",
	              (double)result->end_ms / 1000);
	append_window(out, "streamjob_window_sequence", "Number of the window.", (double)result->sequence);
}
