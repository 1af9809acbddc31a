/* What a Pushgateway sink makes of the result: values, labels, and series that must not meet. */
#include <stdio.h>

#include "lib/base/text.h"
#include "lib/spec/check/check.h"

#define METRIC_PATH_MAX    128
#define RESULT_COLUMNS_MAX 256

struct metric_check {
	const struct jobspec *job;
	const struct query *query;
	const struct pushgateway_sink *sink;
	const struct metric_spec *metric;
	char path[METRIC_PATH_MAX]; /* of the metric */
	struct problems *problems;
};

static const char *at(const struct metric_check *check, const char *field, char place[METRIC_PATH_MAX + 32])
{
	snprintf(place, METRIC_PATH_MAX + 32, "%s.%s", check->path, field);
	return place;
}

static bool has(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->items[i], name))
			return true;
	return false;
}

static void unknown_result(const struct metric_check *check, const char *name, const char *path)
{
	const char *names[RESULT_COLUMNS_MAX] = {NULL}, *nearest;
	struct error right;
	size_t count = 0;

	for (size_t i = 0; i < check->query->result.count && count < RESULT_COLUMNS_MAX; i++)
		names[count++] = check->query->result.columns[i].name;
	nearest = text_nearest(slice_of(name), names, count);
	if (nearest)
		error_set(&right, "did you mean %s?", nearest);
	else
		error_set(&right, "name one of spec.aggregates or spec.groupBy");
	check_problem(check->problems, path, right.text, "%s is neither an aggregate nor a group key", name);
}

/* Adding up over the windows means something for counts and sums only; what the user's own functions yield is theirs to
 * know. */
static const char *not_additive(const struct query *query, size_t column)
{
	size_t a = query->aggregates_count;
	const struct aggregate_expr *expr;

	while (a && query->aggregate_columns[a - 1] > column)
		a--;
	expr = a ? query->aggregates[a - 1] : NULL;
	for (size_t i = 0; expr && i < expr->calls_count; i++)
		if (expr->calls[i].kind != AGGREGATE_USER && !aggregate_entry(expr->calls[i].kind)->adds_up)
			return aggregate_entry(expr->calls[i].kind)->id;
	return NULL;
}

static void check_value(const struct metric_check *check)
{
	char place[METRIC_PATH_MAX + 32];
	const char *value = check->metric->value, *other;
	int index = schema_find(&check->query->result, slice_of(value));
	size_t keys = check->query->keys_count;
	enum type type = index < 0 ? TYPE_NULL : check->query->result.columns[index].type;

	at(check, "value", place);
	if (index < 0) {
		unknown_result(check, value, place);
		return;
	}
	if (type != TYPE_NULL && type != TYPE_INT && type != TYPE_BIGINT && type != TYPE_DOUBLE)
		check_problem(check->problems, place, "a metric's value is an INT, BIGINT or DOUBLE", "%s is a %s",
		              value, type_name(type));
	if (check->metric->type != METRIC_COUNTER || (size_t)index < keys)
		return;
	other = not_additive(check->query, (size_t)index);
	if (other)
		check_problem(check->problems, place, "make it a gauge",
		              "a counter adds %s up over the windows, but %s does not add up", value, other);
}

static void check_labels(const struct metric_check *check)
{
	const struct names *labels = &check->metric->labels;
	char place[METRIC_PATH_MAX + 32], field[32];

	for (size_t i = 0; i < labels->count; i++) {
		const char *label = labels->items[i];

		snprintf(field, sizeof(field), "labels[%zu]", i);
		at(check, field, place);
		if (schema_find(&check->query->result, slice_of(label)) < 0)
			unknown_result(check, label, place);
		if (!strcmp(label, "job"))
			check_problem(check->problems, place, "give the column another name in select",
			              "job is the group's own label");
		for (size_t k = 0; k < check->sink->grouping_key.count; k++)
			if (!strcmp(check->sink->grouping_key.items[k].key, label))
				check_problem(check->problems, place, "take it out of one of the two",
				              "%s is in groupingKey too", label);
	}
	for (size_t k = 0; k < check->query->keys_count; k++) {
		const char *key = check->query->result.columns[k].name;

		if (!has(labels, key))
			check_problem(check->problems, at(check, labels->count ? "labels" : "name", place),
			              "add it to labels, or two rows would be one series",
			              "the group key %s is not a label", key);
	}
}

/* A table aggregate has several rows a group: what tells them apart must be a label. Two rows whose columns are the
 * same still meet, but only the function can know. */
static void check_table_labels(const struct metric_check *check)
{
	const struct query *query = check->query;
	char place[METRIC_PATH_MAX + 32];

	for (size_t a = 0; a < query->aggregates_count; a++) {
		const struct aggregate_expr *expr = query->aggregates[a];
		const struct schema_column *columns = query->result.columns + query->aggregate_columns[a];
		bool found = false;

		if (!expr || !expr->table)
			continue;
		for (size_t c = 0; c < expr->columns_count && !found; c++)
			found = has(&check->metric->labels, columns[c].name);
		if (!found)
			check_problem(check->problems,
			              at(check, check->metric->labels.count ? "labels" : "name", place),
			              "add one that tells its rows apart, or they would be one series",
			              "no column of the table aggregate (%s%s) is a label", columns[0].name,
			              expr->columns_count > 1 ? ", …" : "");
	}
}

static void check_metric_name(const struct metric_check *check)
{
	static const char *const taken[] = {"push_time_seconds", "push_failure_time_seconds"};
	const char *name = check->metric->name;
	char place[METRIC_PATH_MAX + 32];

	at(check, "name", place);
	if (!strncmp(name, "streamjob_window_", 17))
		check_problem(check->problems, place, "choose another name",
		              "names that begin with streamjob_window_ are pushed by every job");
	for (size_t i = 0; i < 2; i++)
		if (!strcmp(name, taken[i]))
			check_problem(check->problems, place, "choose another name", "%s is the gateway's own", name);
}

static bool same_labels(const struct names *a, const struct names *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!has(b, a->items[i]))
			return false;
	return true;
}

/* One family has one type and help, and no series twice. */
static void check_family(const struct metric_check *check, size_t index)
{
	const struct metric_spec *metric = check->metric;
	char place[METRIC_PATH_MAX + 32];

	for (size_t i = 0; i < index; i++) {
		const struct metric_spec *other = &check->sink->metrics[i];
		const char *help = metric->help ? metric->help : "", *other_help = other->help ? other->help : "";

		if (!other->name || strcmp(other->name, metric->name) != 0)
			continue;
		at(check, "name", place);
		if (other->type != metric->type || strcmp(help, other_help) != 0)
			check_problem(check->problems, place, "choose another name, or the same type and help",
			              "metrics[%zu] of this name has another type or help", i);
		else if (same_labels(&metric->labels, &other->labels))
			check_problem(check->problems, place, "choose another name",
			              "metrics[%zu] has this name and the same labels: it would be one series", i);
		return;
	}
}

static void check_grouping_key(const struct pushgateway_sink *sink, size_t index, struct problems *problems)
{
	char place[METRIC_PATH_MAX];

	snprintf(place, sizeof(place), "spec.sinks[%zu].pushgateway.groupingKey.job", index);
	for (size_t i = 0; i < sink->grouping_key.count; i++)
		if (!strcmp(sink->grouping_key.items[i].key, "job"))
			check_problem(problems, place, "use the field job", "job has a field of its own");
}

void check_metrics(const struct jobspec *job, const struct query *query, struct problems *problems)
{
	for (size_t s = 0; s < job->sinks_count; s++) {
		const struct pushgateway_sink *sink = &job->sinks[s].pushgateway;

		if (job->sinks[s].kind != SINK_PUSHGATEWAY)
			continue;
		check_grouping_key(sink, s, problems);
		for (size_t m = 0; m < sink->metrics_count; m++) {
			struct metric_check check = {.job = job, .query = query, .sink = sink, .problems = problems};

			check.metric = &sink->metrics[m];
			snprintf(check.path, sizeof(check.path), "spec.sinks[%zu].pushgateway.metrics[%zu]", s, m);
			if (!check.metric->name || !check.metric->value)
				continue;
			check_metric_name(&check);
			check_value(&check);
			check_labels(&check);
			check_table_labels(&check);
			check_family(&check, m);
		}
	}
}
