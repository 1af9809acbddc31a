#include "runtime/pushgateway/held.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include <jansson.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "lib/metrics/metrics.h"
#include "runtime/pushgateway/group.h"
#include "runtime/pushgateway/snapshot.h"

static const char *label(const json_t *labels, const char *name)
{
	return json_string_value(json_object_get(labels, name));
}

static bool is_group_of_any(const struct jobspec *job, const json_t *labels)
{
	for (size_t i = 0; i < job->sinks_count; i++)
		if (job->sinks[i].kind == SINK_PUSHGATEWAY && group_is(&job->sinks[i].pushgateway, labels))
			return true;
	return false;
}

static const json_t *samples(const json_t *group, const char *family)
{
	return json_object_get(json_object_get(group, family), "metrics");
}

static bool sample_value(const json_t *sample, double *ret_value)
{
	const char *text = json_string_value(json_object_get(sample, "value"));

	return text && text_parse_double(slice_of(text), ret_value);
}

static const json_t *info_labels(const json_t *group)
{
	const json_t *list = samples(group, "streamjob_window_info");

	return json_array_size(list) == 1 ? json_object_get(json_array_get(list, 0), "labels") : NULL;
}

static enum held_read read_window(const struct pushgateway_sink *spec, const json_t *group,
                                  struct sink_held *ret_window, struct error *err)
{
	const json_t *list = samples(group, "streamjob_window_sequence"), *info = info_labels(group);
	const char *life = label(info, "life"), *format = label(info, "format");
	struct buffer url;
	double sequence;

	if (!samples(group, "streamjob_window_info"))
		return HELD_READ;
	if (life && life[0] && strlen(life) < LIFE_BYTES_MAX && format && !strcmp(format, SNAPSHOT_FORMAT) &&
	    json_array_size(list) == 1 && sample_value(json_array_get(list, 0), &sequence) && sequence >= 1 &&
	    sequence < 0x1p63) {
		snprintf(ret_window->life, sizeof(ret_window->life), "%s", life);
		ret_window->sequence = (uint64_t)sequence;
		return HELD_READ;
	}
	buffer_init(&url);
	group_url(spec, false, &url);
	error_set(err,
	          "the group %s was written in format %s, and this version reads format %s: run the version that wrote "
	          "it, or delete the group (curl -X DELETE %s); its counters then begin at zero",
	          url.data, format ? format : "unknown", SNAPSHOT_FORMAT, url.data);
	buffer_release(&url);
	return HELD_FOREIGN;
}

void held_labels(const struct family *family, const json_t *labels, struct buffer *out)
{
	buffer_clear(out);
	for (size_t l = 0; l < family->labels_count; l++) {
		const json_t *value = json_object_get(labels, family->labels[l]);

		metrics_label(out, l == 0, family->labels[l],
		              value ? (struct slice){json_string_value(value), json_string_length(value)}
		                    : (struct slice){"", 0});
	}
}

/* How many totals could not be taken over. */
static size_t restore_family(const struct pushgateway_sink *spec, struct family *family, const json_t *group)
{
	const json_t *list = samples(group, family->name), *sample;
	struct buffer labels;
	size_t index, lost = 0;

	buffer_init(&labels);
	json_array_foreach(list, index, sample)
	{
		struct series *series;
		double value;

		held_labels(family, json_object_get(sample, "labels"), &labels);
		series = series_get(&family->series, buffer_slice(&labels), (size_t)spec->max_counter_series);
		if (series && sample_value(sample, &value) && isfinite(series->value + value)) {
			series->value += value;
			series->counts = true;
		} else {
			lost++;
		}
	}
	buffer_release(&labels);
	series_drop(&family->series); /* those that were made and have no total */
	return lost;
}

static void restore(const struct pushgateway_sink *spec, struct families *families, uint64_t window,
                    const json_t *group)
{
	for (size_t f = 0; f < families->count; f++) {
		struct family *family = &families->items[f];
		size_t lost;

		if (!family->counter)
			continue;
		series_clear(&family->series);
		lost = restore_family(spec, family, group);
		for (size_t i = 0; i < family->series.count; i++)
			family->series.items[i].window = window;
		if (lost)
			log_warn("counters begin anew: the gateway's totals are not finite, or more than "
			         "maxCounterSeries",
			         "metric=%s series=%zu", family->name, lost);
	}
}

static void add_stale(struct held *held, const char *life, const json_t *group)
{
	const char *of = label(info_labels(group), "life");
	struct buffer path;

	if (!of || !life_same_place(of, life) || held->stale_count == STALE_GROUPS_MAX)
		return;
	buffer_init(&path);
	group_path(json_object_get(group, "labels"), &path);
	held->stale[held->stale_count++] = buffer_take(&path);
}

enum held_read held_read(const struct jobspec *job, const struct pushgateway_sink *spec, const char *life,
                         uint64_t next_sequence, struct slice answer, struct families *families, struct held *ret_held,
                         struct error *err)
{
	json_error_t json_err;
	json_t *root = json_loadb(answer.data, answer.size, JSON_ALLOW_NUL, &json_err), *group;
	const json_t *groups = json_object_get(root, "data");
	enum held_read result = HELD_READ;
	struct held held = {0};
	size_t index;

	if (!json_is_array(groups)) {
		json_decref(root);
		return error_set(err, "the answer of /api/v1/metrics is not a Pushgateway's; is the URL right?");
	}
	json_array_foreach(groups, index, group)
	{
		const json_t *labels = json_object_get(group, "labels");

		if (group_is(spec, labels)) {
			result = read_window(spec, group, &held.window, err);
			if (result != HELD_READ)
				break;
			if (families)
				restore(spec, families, next_sequence - 1, group);
		} else if (!is_group_of_any(job, labels)) {
			add_stale(&held, life, group);
		}
	}
	json_decref(root);
	if (result == HELD_READ)
		*ret_held = held;
	else
		held_release(&held);
	return result;
}

void held_release(struct held *held)
{
	for (size_t i = 0; i < held->stale_count; i++)
		free(held->stale[i]);
	*held = (struct held){0};
}
