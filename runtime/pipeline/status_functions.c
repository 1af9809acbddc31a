#include "runtime/pipeline/status_functions.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/metrics/metrics.h"
#include "runtime/pipeline/status_json.h"
#include "runtime/pipeline/status_watch.h"
#include "runtime/udf/spawn.h"

static json_t *error_json(const struct function_state *state)
{
	json_t *error;

	if (!state->error_wall_ms)
		return json_null();
	error = json_object();
	json_object_set_new(error, "at", status_time_json(state->error_wall_ms));
	json_object_set_new(error, "method", status_text_json(state->error_method));
	json_object_set_new(error, "reason", status_text_json(state->error_reason));
	json_object_set_new(error, "message", status_text_json(state->error_message));
	return error;
}

static const char *sandbox_name(const struct function_spec *spec)
{
	if (spec->isolation == ISOLATION_IN_PROCESS)
		return "none";
	return spawn_landlock_version() ? "full" : "without Landlock";
}

json_t *status_functions_json(struct functions *functions)
{
	int64_t now_ms = clock_monotonic_ms(functions->clock);
	json_t *list = json_array();

	pthread_mutex_lock(&functions->mutex);
	for (size_t f = 0; f < functions->count; f++) {
		struct function_state *state = &functions->items[f];
		json_t *stuck = status_watch_function_json(now_ms, state->spec->name), *json = json_object();

		json_object_set_new(json, "name", json_string(state->spec->name));
		json_object_set_new(json, "kind", json_string(function_kind_name(state->spec->kind)));
		json_object_set_new(json, "healthy",
		                    json_boolean(state->failed_at == FAILED_NOWHERE && json_is_null(stuck)));
		json_object_set_new(json, "stuck", stuck);
		json_object_set_new(json, "sandbox", json_string(sandbox_name(state->spec)));
		set_integer(json, "restarts", state->restarts);
		set_integer(json, "calls", atomic_load(&state->counts.calls));
		set_integer(json, "rows", atomic_load(&state->counts.rows));
		set_integer(json, "rowErrors", atomic_load(&state->counts.row_failures));
		set_integer(json, "poisonRows", state->poison_rows);
		json_object_set_new(json, "lastError", error_json(state));
		json_array_append_new(list, json);
	}
	pthread_mutex_unlock(&functions->mutex);
	return list;
}

static double healthy(const struct function_state *state)
{
	return state->failed_at == FAILED_NOWHERE;
}

static double restarts(const struct function_state *state)
{
	return (double)state->restarts;
}

static double calls(const struct function_state *state)
{
	return (double)atomic_load(&state->counts.calls);
}

static double rows(const struct function_state *state)
{
	return (double)atomic_load(&state->counts.rows);
}

static double seconds(const struct function_state *state)
{
	return (double)atomic_load(&state->counts.nanoseconds) / 1e9;
}

static double row_errors(const struct function_state *state)
{
	return (double)atomic_load(&state->counts.row_failures);
}

static double poison_rows(const struct function_state *state)
{
	return (double)state->poison_rows;
}

static const struct {
	const char *name, *type, *help;
	double (*value)(const struct function_state *state);
} families[] = {
        {"streamjob_function_up", "gauge", "1 while the function does not fail.", healthy},
        {"streamjob_function_restarts_total", "counter", "Workers that were killed and started again.", restarts},
        {"streamjob_function_calls_total", "counter", "Calls, each for a batch of rows or groups.", calls},
        {"streamjob_function_rows_total", "counter", "Rows that the function was called for.", rows},
        {"streamjob_function_seconds_total", "counter", "Time in calls.", seconds},
        {"streamjob_function_row_errors_total", "counter", "Rows on which the function raised.", row_errors},
        {"streamjob_function_poison_rows_total", "counter", "Rows that killed the function again and again.",
         poison_rows},
};

static void label(struct buffer *out, const struct function_state *state)
{
	buffer_append_char(out, '{');
	metrics_label(out, true, "function", slice_of(state->spec->name));
}

static void failures_family(struct functions *functions, struct buffer *out)
{
	metrics_family(out, "streamjob_function_failures_total", "counter", "Failures of workers, by reason.");
	for (size_t f = 0; f < functions->count; f++) {
		for (size_t r = 0; r < UDF_REASONS; r++) {
			buffer_append_text(out, "streamjob_function_failures_total");
			label(out, &functions->items[f]);
			metrics_label(out, false, "reason", slice_of(udf_reason_name((enum udf_reason)r)));
			buffer_append_char(out, '}');
			metrics_number(out, (double)atomic_load(&functions->items[f].counts.failures[r]));
		}
	}
}

/* One metric of the functions' own, as one lane has it. */
struct own {
	size_t function;
	unsigned lane;
	char name[96]; /* of the family */
	struct udf_metric metric;
};

static int compare_labels(const struct udf_metric *a, const struct udf_metric *b)
{
	for (size_t i = 0; i < a->labels_count && i < b->labels_count; i++) {
		int order = strcmp(a->labels[i].name, b->labels[i].name);

		if (!order)
			order = strcmp(a->labels[i].value, b->labels[i].value);
		if (order)
			return order;
	}
	return (a->labels_count > b->labels_count) - (a->labels_count < b->labels_count);
}

/* By family; in it by kind, and then so that equal series are neighbours. */
static int compare_own(const void *left, const void *right)
{
	const struct own *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	if (!order)
		order = (int)a->metric.kind - (int)b->metric.kind;
	if (!order)
		order = (a->function > b->function) - (a->function < b->function);
	if (!order)
		order = (a->lane > b->lane) - (a->lane < b->lane);
	return order ? order : compare_labels(&a->metric, &b->metric);
}

static struct own own_metric(size_t function, unsigned lane, const struct udf_metric *metric)
{
	static const char total[] = "_total";
	size_t size = strlen(metric->name), end = strlen(total);
	bool has_total = size >= end && !strcmp(metric->name + size - end, total);
	struct own own = {.function = function, .lane = lane, .metric = *metric};

	snprintf(own.name, sizeof(own.name), "streamjob_user_%.*s%s", (int)sizeof(metric->name) - 1, metric->name,
	         metric->kind == UDF_COUNTER && !has_total ? total : "");
	return own;
}

/* What a label is written as: where its name is one of the page's own, as Prometheus writes one that meets a target's.
 */
static void label_name(char *to, size_t size, const char *name)
{
	bool is_taken = !strcmp(name, "function") || !strcmp(name, "lane");

	snprintf(to, size, "%s%s", is_taken ? "exported_" : "", name);
}

/* Two labels would be written alike. */
static bool labels_meet(const struct udf_metric *metric)
{
	char names[UDF_METRIC_LABELS_MAX][48];

	for (size_t i = 0; i < metric->labels_count; i++) {
		label_name(names[i], sizeof(names[i]), metric->labels[i].name);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(names[i], names[j]))
				return true;
	}
	return false;
}

static size_t collect_own(struct functions *functions, struct own **ret_items)
{
	struct own *items = NULL;
	size_t count = 0;

	for (unsigned lane = 0; lane < LANES_MAX; lane++) {
		for (size_t f = 0; f < functions->count; f++) {
			struct udf_worker *worker = functions_worker(functions, f, lane);
			struct udf_metric metrics[UDF_METRICS_MAX];
			size_t n = worker ? functions->ops->metrics(worker, metrics, UDF_METRICS_MAX) : 0;

			items = xrealloc(items, (count + n + 1) * sizeof(*items));
			for (size_t i = 0; i < n; i++)
				if (!labels_meet(&metrics[i]))
					items[count++] = own_metric(f, lane, &metrics[i]);
		}
	}
	*ret_items = items;
	return count;
}

static void own_labels(struct buffer *out, const struct udf_metric *metric)
{
	for (size_t i = 0; i < metric->labels_count; i++) {
		char name[48];

		label_name(name, sizeof(name), metric->labels[i].name);
		metrics_label(out, false, name, slice_of(metric->labels[i].value));
	}
}

/*
 * A name that two functions use with different kinds is one family of the first kind: the others are left out, as is a
 * series that is there already.
 */
static void own_metrics(struct functions *functions, struct buffer *out)
{
	const struct own *first = NULL; /* of the family */
	struct own *items;
	size_t count = collect_own(functions, &items);

	if (count)
		qsort(items, count, sizeof(*items), compare_own);
	for (size_t i = 0; i < count; i++) {
		const struct own *own = &items[i];
		char lane[16];

		if (!first || strcmp(first->name, own->name) != 0) {
			first = own;
			metrics_family(out, own->name, own->metric.kind == UDF_COUNTER ? "counter" : "gauge",
			               "A function's own metric.");
		}
		if (own->metric.kind != first->metric.kind || (own != first && !compare_own(own - 1, own)))
			continue;
		snprintf(lane, sizeof(lane), "%u", own->lane);
		buffer_append_text(out, own->name);
		label(out, &functions->items[own->function]);
		metrics_label(out, false, "lane", slice_of(lane));
		own_labels(out, &own->metric);
		buffer_append_char(out, '}');
		metrics_number(out, own->metric.value);
	}
	free(items);
}

void status_functions_metrics(struct functions *functions, struct buffer *out)
{
	pthread_mutex_lock(&functions->mutex);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]) && functions->count; i++) {
		metrics_family(out, families[i].name, families[i].type, families[i].help);
		for (size_t f = 0; f < functions->count; f++) {
			buffer_append_text(out, families[i].name);
			label(out, &functions->items[f]);
			buffer_append_char(out, '}');
			metrics_number(out, families[i].value(&functions->items[f]));
		}
	}
	failures_family(functions, out);
	own_metrics(functions, out);
	pthread_mutex_unlock(&functions->mutex);
}
