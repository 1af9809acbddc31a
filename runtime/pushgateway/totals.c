#include "runtime/pushgateway/totals.h"

#include <stdlib.h>

#include <jansson.h>

#include "lib/base/hash.h"
#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "lib/metrics/metrics.h"

#define SLOTS_MIN 64

void totals_release(struct totals *totals)
{
	for (size_t i = 0; i < totals->capacity; i++)
		free(totals->slots[i].labels);
	free(totals->slots);
	*totals = (struct totals){0};
}

static struct total *find(struct total *slots, size_t capacity, struct slice labels, uint64_t hash)
{
	size_t i = hash & (capacity - 1);

	while (slots[i].labels &&
	       !(slots[i].hash == hash && slice_equal((struct slice){slots[i].labels, slots[i].size}, labels)))
		i = (i + 1) & (capacity - 1);
	return &slots[i];
}

static void grow(struct totals *totals)
{
	size_t capacity = totals->capacity ? totals->capacity * 2 : SLOTS_MIN;
	struct total *slots = xcalloc(capacity, sizeof(*slots));

	for (size_t i = 0; i < totals->capacity; i++) {
		const struct total *old = &totals->slots[i];

		if (old->labels)
			*find(slots, capacity, (struct slice){old->labels, old->size}, old->hash) = *old;
	}
	free(totals->slots);
	totals->slots = slots;
	totals->capacity = capacity;
}

int totals_add(struct totals *totals, struct slice labels, double amount, struct error *err)
{
	uint64_t hash = hash_bytes(labels.data, labels.size);
	struct total *total;

	if (totals->count * 4 >= totals->capacity * 3)
		grow(totals);
	total = find(totals->slots, totals->capacity, labels, hash);
	if (!total->labels) {
		if (totals->count >= TOTALS_SERIES_MAX)
			return error_set(err, "a counter has more than %d series; group by fewer values",
			                 TOTALS_SERIES_MAX);
		total->labels = xmalloc(labels.size + 1);
		memcpy(total->labels, labels.data, labels.size);
		total->size = labels.size;
		total->hash = hash;
		totals->count++;
	}
	total->value += amount;
	return 0;
}

/* The group's own labels, exactly: job, the grouping key, and an instance that is empty. */
static bool is_our_group(const struct pushgateway_sink *spec, const json_t *labels)
{
	const char *job = json_string_value(json_object_get(labels, "job"));
	const char *instance = json_string_value(json_object_get(labels, "instance"));
	size_t expected = spec->grouping_key.count + 1;

	if (!job || strcmp(job, spec->job))
		return false;
	for (size_t i = 0; i < spec->grouping_key.count; i++) {
		const char *value = json_string_value(json_object_get(labels, spec->grouping_key.items[i].key));

		if (!value || strcmp(value, spec->grouping_key.items[i].value))
			return false;
		if (!strcmp(spec->grouping_key.items[i].key, "instance"))
			instance = NULL;
	}
	return json_object_size(labels) == expected + (instance != NULL && !instance[0]);
}

static const json_t *samples(const json_t *group, const char *family)
{
	return json_object_get(json_object_get(group, family), "metrics");
}

static double sample_value(const json_t *sample)
{
	const char *text = json_string_value(json_object_get(sample, "value"));
	double value = 0;

	return text && text_parse_double(slice_of(text), &value) ? value : 0;
}

/* The metric's labels in its own order, as the snapshot renders them. False where one is missing. */
static bool render_labels(const struct metric_spec *metric, const json_t *labels, struct buffer *out)
{
	buffer_clear(out);
	for (size_t l = 0; l < metric->labels.count; l++) {
		const json_t *value = json_object_get(labels, metric->labels.items[l]);

		/* An empty label is no label to Prometheus. */
		metrics_label(out, l == 0, metric->labels.items[l],
		              value ? (struct slice){json_string_value(value), json_string_length(value)}
		                    : (struct slice){"", 0});
	}
	return true;
}

static int restore_metric(const struct metric_spec *metric, const json_t *group, struct totals *totals,
                          struct error *err)
{
	const json_t *list = samples(group, metric->name), *sample;
	struct buffer labels;
	size_t index;
	int result = 0;

	buffer_init(&labels);
	json_array_foreach(list, index,
	                   sample) if (!result && render_labels(metric, json_object_get(sample, "labels"), &labels))
	        result = totals_add(totals, buffer_slice(&labels), sample_value(sample), err);
	buffer_release(&labels);
	return result;
}

int totals_restore(const struct pushgateway_sink *spec, struct slice answer, struct totals *totals,
                   uint64_t *ret_sequence, struct error *err)
{
	json_error_t json_err;
	json_t *root = json_loadb(answer.data, answer.size, JSON_ALLOW_NUL, &json_err), *group;
	const json_t *groups = json_object_get(root, "data");
	uint64_t sequence = 0;
	size_t index;
	int result = 0;

	if (!json_is_array(groups)) {
		json_decref(root);
		return error_set(err, "the answer of /api/v1/metrics is not a Pushgateway's; is the URL right?");
	}
	json_array_foreach(groups, index, group)
	{
		if (!is_our_group(spec, json_object_get(group, "labels")))
			continue;
		sequence = (uint64_t)sample_value(json_array_get(samples(group, "streamjob_window_sequence"), 0));
		for (size_t m = 0; m < spec->metrics_count && !result; m++)
			if (spec->metrics[m].type == METRIC_COUNTER)
				result = restore_metric(&spec->metrics[m], group, &totals[m], err);
	}
	json_decref(root);
	if (!result)
		*ret_sequence = sequence;
	return result;
}
