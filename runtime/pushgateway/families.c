#include "runtime/pushgateway/families.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "lib/metrics/metrics.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_labels(struct family *family, const struct names *labels)
{
	family->labels = xrealloc(family->labels, (family->labels_count + labels->count + 1) * sizeof(char *));
	for (size_t l = 0; l < labels->count; l++) {
		bool known = false;

		for (size_t k = 0; k < family->labels_count && !known; k++)
			known = !strcmp(family->labels[k], labels->items[l]);
		if (!known)
			family->labels[family->labels_count++] = labels->items[l];
	}
	qsort(family->labels, family->labels_count, sizeof(char *), by_name);
}

static size_t family_of(struct families *families, const struct metric_spec *metric)
{
	size_t f = 0;

	while (f < families->count && strcmp(families->items[f].name, metric->name) != 0)
		f++;
	if (f == families->count) {
		families->items[families->count++] = (struct family){
		        .name = metric->name, .help = metric->help, .counter = metric->type == METRIC_COUNTER};
		series_init(&families->items[f].series);
		series_init(&families->items[f].taken);
	}
	add_labels(&families->items[f], &metric->labels);
	return f;
}

static int column_of(const struct metric_spec *metric, const char *label, const struct schema *result)
{
	for (size_t l = 0; l < metric->labels.count; l++)
		if (!strcmp(metric->labels.items[l], label))
			return schema_find(result, slice_of(label));
	return -1;
}

struct families *families_new(const struct pushgateway_sink *spec, const struct schema *result)
{
	struct families *families = xcalloc(1, sizeof(*families));

	families->spec = spec;
	families->items = xcalloc(spec->metrics_count, sizeof(struct family));
	families->entries = xcalloc(spec->metrics_count, sizeof(struct entry));
	for (size_t m = 0; m < spec->metrics_count; m++)
		families->entries[m].family = family_of(families, &spec->metrics[m]);
	for (size_t m = 0; m < spec->metrics_count; m++) {
		struct entry *entry = &families->entries[m];
		const struct family *family = &families->items[entry->family];

		entry->value = (size_t)schema_find(result, slice_of(spec->metrics[m].value));
		entry->labels = xcalloc(family->labels_count + 1, sizeof(int));
		for (size_t l = 0; l < family->labels_count; l++)
			entry->labels[l] = column_of(&spec->metrics[m], family->labels[l], result);
	}
	return families;
}

void families_free(struct families *families)
{
	if (!families)
		return;
	for (size_t f = 0; f < families->count; f++) {
		free(families->items[f].labels);
		series_release(&families->items[f].series);
		series_release(&families->items[f].taken);
		free(families->items[f].refused);
	}
	for (size_t m = 0; m < families->spec->metrics_count; m++)
		free(families->entries[m].labels);
	for (size_t h = 0; h < families->holders_count; h++)
		free(families->holders[h]);
	free(families->items);
	free(families->entries);
	free(families);
}

/* The labels of a row, without braces; false where one is no text. `scratch` holds one value. */
static bool append_labels(const struct family *family, const struct entry *entry, const struct window_result *result,
                          size_t row, struct buffer *scratch, struct buffer *out)
{
	buffer_clear(out);
	for (size_t l = 0; l < family->labels_count; l++) {
		buffer_clear(scratch);
		if (entry->labels[l] >= 0)
			result_value_text(column_value(&result->rows.columns[entry->labels[l]], row), scratch);
		if (!text_is_utf8(buffer_slice(scratch)))
			return false;
		metrics_label(out, l == 0, family->labels[l], buffer_slice(scratch));
	}
	return true;
}

/* False where the value is NULL: such a sample is none. */
static bool metric_value(const struct column *column, size_t row, double *ret_value)
{
	struct value value = column_value(column, row);

	*ret_value = value.type == TYPE_DOUBLE ? value.real : (double)value.bigint;
	return !value.null;
}

static struct left_out *leave_out(struct staged *staged, size_t row, size_t entry, enum left_out_why why)
{
	struct left_out *left_out;

	if (staged->left_out_count == staged->left_out_capacity) {
		staged->left_out_capacity = staged->left_out_capacity ? staged->left_out_capacity * 2 : 16;
		staged->left_out = xrealloc(staged->left_out, staged->left_out_capacity * sizeof(*staged->left_out));
	}
	left_out = &staged->left_out[staged->left_out_count++];
	*left_out = (struct left_out){.row = row, .entry = (uint32_t)entry, .why = why};
	return left_out;
}

/* Whether a counter may take it. */
static bool is_increment(double amount, enum left_out_why *ret_why)
{
	*ret_why = isnan(amount) ? LEFT_OUT_NAN : isinf(amount) ? LEFT_OUT_INFINITE : LEFT_OUT_NEGATIVE;
	return isfinite(amount) && amount >= 0;
}

struct staging {
	struct families *families;
	const struct window_result *result;
	bool add;
	struct staged *staged;
	struct buffer labels, scratch;
};

static void stage_sample(struct staging *staging, size_t index, size_t row)
{
	struct families *families = staging->families;
	const struct entry *entry = &families->entries[index];
	struct family *family = &families->items[entry->family];
	const struct series *taken;
	enum left_out_why why;
	struct series *series;
	double value;

	if (!metric_value(&staging->result->rows.columns[entry->value], row, &value))
		return;
	if (family->refused) {
		leave_out(staging->staged, row, index, LEFT_OUT_TYPE);
		return;
	}
	if (family->counter && !is_increment(value, &why)) {
		leave_out(staging->staged, row, index, why);
		return;
	}
	if (!append_labels(family, entry, staging->result, row, &staging->scratch, &staging->labels)) {
		leave_out(staging->staged, row, index, LEFT_OUT_TEXT);
		return;
	}
	taken = series_find(&family->taken, buffer_slice(&staging->labels));
	if (taken) {
		leave_out(staging->staged, row, index, LEFT_OUT_TAKEN)->holder = taken->window;
		return;
	}
	series = series_get(&family->series, buffer_slice(&staging->labels),
	                    family->counter ? (size_t)families->spec->max_counter_series : SIZE_MAX);
	if (!series || (family->counter && !isfinite(series->value + series->staged + value))) {
		leave_out(staging->staged, row, index, series ? LEFT_OUT_TOTAL : LEFT_OUT_LIMIT);
		return;
	}
	staging->staged->merged += series->touched;
	series->touched = true;
	series->staged = !family->counter ? value : staging->add ? series->staged + value : 0;
}

void families_stage(struct families *families, const struct window_result *result, bool add, struct staged *staged)
{
	struct staging staging = {.families = families, .result = result, .add = add, .staged = staged};

	families_drop(families);
	staged->left_out_count = 0;
	staged->merged = 0;
	buffer_init(&staging.labels);
	buffer_init(&staging.scratch);
	for (size_t m = 0; m < families->spec->metrics_count; m++)
		for (size_t row = 0; row < result->rows.rows; row++)
			stage_sample(&staging, m, row);
	buffer_release(&staging.labels);
	buffer_release(&staging.scratch);
}

void staged_release(struct staged *staged)
{
	free(staged->left_out);
	*staged = (struct staged){0};
}

void left_out_describe(const struct families *families, const struct left_out *left_out, struct error *err)
{
	const char *name = families->spec->metrics[left_out->entry].name;
	const struct family *family = &families->items[families->entries[left_out->entry].family];

	switch (left_out->why) {
	case LEFT_OUT_NAN:
		error_set(err, "%s: a counter cannot take NaN", name);
		break;
	case LEFT_OUT_INFINITE:
		error_set(err, "%s: a counter cannot take an infinite increment", name);
		break;
	case LEFT_OUT_NEGATIVE:
		error_set(err, "%s: a counter cannot take a negative increment", name);
		break;
	case LEFT_OUT_TOTAL:
		error_set(err, "%s: the counter would become infinite", name);
		break;
	case LEFT_OUT_TEXT:
		error_set(err, "%s: a label is not UTF-8, which the Pushgateway refuses", name);
		break;
	case LEFT_OUT_TYPE:
		error_set(err, "%s", family->refused);
		break;
	case LEFT_OUT_TAKEN:
		error_set(err, "%s has this series of %s already; give one of the two another label or groupingKey",
		          left_out->holder < families->holders_count ? families->holders[left_out->holder]
		                                                     : "another group of the gateway",
		          name);
		break;
	case LEFT_OUT_LIMIT:
		error_set(err,
		          "%s: more than maxCounterSeries (%lld) series; group by fewer values, raise it, or lower "
		          "counterIdleWindows",
		          name, (long long)families->spec->max_counter_series);
		break;
	}
}

void families_apply(struct families *families, uint64_t window)
{
	const struct pushgateway_sink *spec = families->spec;

	for (size_t f = 0; f < families->count; f++) {
		struct family *family = &families->items[f];
		size_t forgotten;

		if (!family->counter)
			continue;
		series_apply(&family->series, window);
		forgotten = series_forget(&family->series, window, (uint64_t)spec->counter_idle_windows);
		if (forgotten)
			log_info("counters forgotten: no window added to them for counterIdleWindows",
			         "metric=%s series=%zu windows=%lld", family->name, forgotten,
			         (long long)spec->counter_idle_windows);
	}
}

void families_drop(struct families *families)
{
	for (size_t f = 0; f < families->count; f++)
		if (families->items[f].counter)
			series_drop(&families->items[f].series);
		else
			series_clear(&families->items[f].series);
}
