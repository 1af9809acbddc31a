#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/text.h"
#include "tests/unit/runtime/pushgateway/gateway_case.h"

struct fake_gateway gateway;
struct stop stop;
const char *labels[] = {"k", "l"};
static struct metric_spec metrics[] = {
        {.name = "rows_total", .type = METRIC_COUNTER, .value = "x", .labels = {labels, 1}},
        {.name = "rows", .type = METRIC_GAUGE, .value = "x", .labels = {labels, 1}},
};
struct sink_spec sinks[2];
struct jobspec job;

#define COLUMNS 3
static const struct schema_column columns[COLUMNS] = {{"k", TYPE_STRING}, {"l", TYPE_STRING}, {"x", TYPE_DOUBLE}};
static const struct schema schema = {columns, COLUMNS};

int set_up(void **state)
{
	(void)state;
	buffer_init(&left_out);
	fake_gateway_start(&gateway);
	passing_ms = 1000;
	passing_ms_a_look = 1;
	stop = (struct stop){.deadline_ms = INT64_MAX, .clock = &passing_clock};
	memset(sinks, 0, sizeof(sinks));
	sinks[0] = (struct sink_spec){.kind = SINK_PUSHGATEWAY};
	sinks[0].pushgateway = (struct pushgateway_sink){.url = gateway.url,
	                                                 .job = "j",
	                                                 .metrics = metrics,
	                                                 .metrics_count = 2,
	                                                 .timeout_ms = 5000,
	                                                 .retry_deadline_ms = 2000,
	                                                 .max_counter_series = 4,
	                                                 .counter_idle_windows = 3};
	job = (struct jobspec){.sinks = sinks, .sinks_count = 1};
	return 0;
}

int tear_down(void **state)
{
	(void)state;
	fake_gateway_stop(&gateway);
	buffer_release(&left_out);
	return 0;
}

struct buffer left_out;

static void note_left_out(void *context, const struct window_result *result, size_t row, const char *reason)
{
	(void)context;
	(void)result;
	buffer_printf(&left_out, "%zu %s\n", row, reason);
}

struct sink *new_sink(void)
{
	struct sink *sink = pushgateway_sink_new(&job, 0, &schema, "/nowhere", &passing_clock);

	sink->leave_out = note_left_out;
	buffer_clear(&left_out);
	return sink;
}

struct sink *open_sink(const char *life, uint64_t next, bool pending)
{
	struct sink_start start = {.next_sequence = next, .pending = pending, .resumable = true};
	struct sink *sink = new_sink();
	struct error err;

	snprintf(start.life, sizeof(start.life), "%s", life);
	if (sink->ops->open(sink, &start, &stop, &err) < 0)
		fail_msg("%s", err.text);
	return sink;
}

enum sink_outcome push(struct sink *sink, uint64_t sequence, const struct row *rows, size_t count, struct error *err)
{
	struct window_result result = {.end_ms = 1000, .sequence = sequence, .schema = &schema, .keys_count = 2};
	enum sink_outcome outcome;

	batch_init(&result.rows, &schema, NULL, count + 1);
	result.rows.rows = count;
	for (size_t i = 0; i < count; i++) {
		const char *k = rows[i].k, *l = rows[i].l;

		column_set(&result.rows.columns[0], i,
		           (struct value){.type = TYPE_STRING, .null = !k, .string = slice_of(k ? k : "")});
		column_set(&result.rows.columns[1], i,
		           (struct value){.type = TYPE_STRING, .null = !l, .string = slice_of(l ? l : "")});
		column_set(&result.rows.columns[2], i, (struct value){.type = TYPE_DOUBLE, .real = rows[i].x});
	}
	outcome = sink->ops->write(sink, &result, &stop, err);
	batch_release(&result.rows);
	return outcome;
}

void must_push(struct sink *sink, uint64_t sequence, const struct row *rows, size_t count)
{
	struct error err = {.text = ""};
	enum sink_outcome outcome = SINK_RETRY;

	for (int round = 0; round < 10 && outcome == SINK_RETRY; round++)
		outcome = push(sink, sequence, rows, count, &err);
	if (outcome != SINK_ACCEPTED)
		fail_msg("window %llu: %s", (unsigned long long)sequence, err.text);
}

void expect_samples(const char *name, const char *expected)
{
	const struct fake_request *request = fake_gateway_last(&gateway, "PUT");
	struct buffer found;
	char *copy, *line, *rest;

	buffer_init(&found);
	copy = strdup(request ? request->body : "");
	for (line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (!strncmp(line, "rows", 4))
			buffer_printf(&found, "%s\n", line);
	if (strcmp(found.size ? found.data : "", expected) != 0)
		fail_msg("%s: pushed\n%s\nexpected\n%s", name, found.size ? found.data : "", expected);
	free(copy);
	buffer_release(&found);
}
