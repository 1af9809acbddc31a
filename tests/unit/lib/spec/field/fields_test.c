/* Every field lands in its member, every default too, and no field of the table is left untried. */
#include "lib/spec/field/tables.h"
#include "tests/unit/lib/spec/full_jobs.h"
#include "tests/unit/lib/spec/job_case.h"

static void kafka_source_test(void **state)
{
	struct jobspecs jobs = good_jobs("full_kafka", slice_of(full_kafka));
	const struct jobspec *job = jobs.items[0];
	const struct kafka_source *kafka = &job->source.kafka;

	(void)state;
	assert_string_equal(job->name, "full");
	assert_string_equal(job->namespace, "reco");
	assert_int_equal(job->source.kind, SOURCE_KAFKA);
	assert_string_equal(kafka->client.bootstrap_servers, "k1:9092,k2:9092");
	assert_string_equal(kafka->client.topic, "events");
	assert_string_equal(kafka->group_id, "mine");
	assert_int_equal(kafka->starting_offsets, START_EARLIEST);
	assert_int_equal(kafka->on_offset_loss, OFFSET_LOSS_EARLIEST);
	assert_int_equal(kafka->client.properties.count, 2);
	assert_string_equal(kafka->client.properties.items[0].key, "fetch.min.bytes");
	assert_string_equal(kafka->client.properties.items[0].value, "1");
	assert_string_equal(kafka->client.properties.items[1].key, "client.rack");
	assert_string_equal(kafka->client.security.protocol, "SASL_SSL");
	assert_string_equal(kafka->client.security.mechanism, "SCRAM-SHA-256");
	assert_string_equal(kafka->client.security.credentials_secret.name, "kc");
	assert_string_equal(kafka->client.security.ca_secret.name, "ka");
	assert_string_equal(kafka->client.security.client_certificate_secret.name, "kk");
	jobspecs_release(&jobs);
}

static void query_fields_test(void **state)
{
	struct jobspecs jobs = good_jobs("full_kafka", slice_of(full_kafka));
	const struct jobspec *job = jobs.items[0];

	(void)state;
	assert_int_equal(job->json.on_bad_row, BAD_DEAD_LETTER);
	assert_int_equal(job->json.on_bad_field, BAD_SKIP_ROW);
	assert_int_equal(job->json.on_missing_field, BAD_FAIL);
	assert_int_equal(job->columns_count, 3);
	assert_string_equal(job->columns[0].name, "a");
	assert_int_equal(job->columns[0].type, TYPE_STRING);
	assert_string_equal(job->columns[0].path, "$['odd name']");
	assert_string_equal(job->columns[1].path, "$.t");
	assert_int_equal(job->columns[1].format, TIMESTAMP_ISO8601);
	assert_string_equal(job->filter, "a = 'x'");
	assert_string_equal(job->having, "c > 1");
	assert_int_equal(job->select_count, 1);
	assert_string_equal(job->select[0].name, "s");
	assert_string_equal(job->select[0].expr, "a || 'y'");
	assert_int_equal(job->window.size_ms, 3600000);
	assert_int_equal(job->window.offset_ms, 900000);
	assert_int_equal(job->window.on_empty, EMPTY_DELETE);
	assert_int_equal(job->group_by.count, 2);
	assert_string_equal(job->group_by.items[1], "b");
	assert_int_equal(job->aggregates_count, 2);
	assert_string_equal(job->aggregates[1].expr, "MAX(a)");
	assert_int_equal(job->limits.groups, 7);
	assert_int_equal(job->limits.state_bytes, 3 << 20);
	assert_int_equal(job->limits.record_bytes, 64 << 10);
	assert_int_equal(job->watermark.max_future_skew_ms, 90000);
	assert_int_equal(job->json.on_tombstone, TOMBSTONE_ROW);
	assert_int_equal(job->limits.on_limit, LIMIT_DROP_NEW_GROUPS);
	assert_int_equal(job->termination_grace_ms, 90000);
	jobspecs_release(&jobs);
}

static void sinks_test(void **state)
{
	struct jobspecs jobs = good_jobs("full_kafka", slice_of(full_kafka));
	const struct jobspec *job = jobs.items[0];
	const struct pushgateway_sink *gateway = &job->sinks[0].pushgateway;

	(void)state;
	assert_int_equal(job->sinks_count, 4);
	assert_int_equal(job->sinks[0].kind, SINK_PUSHGATEWAY);
	assert_string_equal(gateway->url, "https://g:9091/prefix");
	assert_string_equal(gateway->job, "gj");
	assert_int_equal(gateway->grouping_key.count, 2);
	assert_string_equal(gateway->grouping_key.items[1].key, "zone");
	assert_string_equal(gateway->grouping_key.items[1].value, "");
	assert_int_equal(gateway->metrics_count, 2);
	assert_string_equal(gateway->metrics[0].name, "m_total");
	assert_int_equal(gateway->metrics[0].type, METRIC_COUNTER);
	assert_string_equal(gateway->metrics[0].help, "Rows.");
	assert_string_equal(gateway->metrics[0].value, "c");
	assert_int_equal(gateway->metrics[0].labels.count, 3);
	assert_string_equal(gateway->metrics[0].labels.items[2], "last");
	assert_null(gateway->metrics[1].help);
	assert_string_equal(gateway->credentials_secret.name, "gc");
	assert_string_equal(gateway->ca_secret.name, "ga");
	assert_int_equal(gateway->timeout_ms, 7000);
	assert_int_equal(gateway->retry_deadline_ms, 90000);
	assert_int_equal(gateway->on_rejected, REJECTED_FAIL);
	assert_int_equal(job->sinks[1].kind, SINK_KAFKA);
	assert_string_equal(job->sinks[1].kafka.client.topic, "out");
	assert_string_equal(job->sinks[1].kafka.client.properties.items[0].value, "5");
	assert_string_equal(job->sinks[1].kafka.client.security.ca_secret.name, "oa");
	assert_int_equal(job->sinks[2].kind, SINK_FILE);
	assert_string_equal(job->sinks[2].file.path, "out.jsonl");
	assert_int_equal(job->sinks[3].kind, SINK_STDOUT);
	assert_int_equal(job->sinks[3].stdout_format, FORMAT_TABLE);
	assert_int_equal(job->dead_letter.kind, SINK_KAFKA);
	assert_string_equal(job->dead_letter.kafka.topic, "dead");
	jobspecs_release(&jobs);
}

static const struct datagen_column *made(const struct jobspec *job, const char *name)
{
	const struct datagen_source *datagen = &job->source.datagen;

	for (size_t i = 0; i < datagen->columns_count; i++)
		if (!strcmp(datagen->columns[i].name, name))
			return &datagen->columns[i];
	fail_msg("%s is not there", name);
	return NULL;
}

static void datagen_test(void **state)
{
	struct jobspecs jobs = good_jobs("full_datagen", slice_of(full_datagen));
	const struct jobspec *job = jobs.items[0];

	(void)state;
	assert_int_equal(job->source.kind, SOURCE_DATAGEN);
	assert_true(job->source.datagen.rows_per_second == 2.5);
	assert_int_equal(job->source.datagen.rows, 40);
	assert_int_equal(job->source.datagen.seed, 99);
	assert_int_equal(job->source.datagen.columns_count, 6);
	assert_int_equal(made(job, "q")->generator, GENERATE_SEQUENCE);
	assert_true(made(job, "q")->min == 5 && made(job, "q")->max == 10);
	assert_int_equal(made(job, "c")->generator, GENERATE_CHOICE);
	assert_int_equal(made(job, "c")->values.count, 2);
	assert_string_equal(made(job, "c")->values.items[1], "y");
	assert_int_equal(made(job, "c")->weights_count, 2);
	assert_true(made(job, "c")->weights[1] == 2.5);
	assert_true(made(job, "c")->null_probability == 0.25);
	assert_int_equal(made(job, "u")->generator, GENERATE_UNIFORM);
	assert_true(made(job, "u")->min == -1 && made(job, "u")->max == 2000);
	assert_int_equal(made(job, "g")->generator, GENERATE_NORMAL);
	assert_true(made(job, "g")->mean == 4 && made(job, "g")->stddev == 2);
	assert_int_equal(made(job, "l")->generator, GENERATE_LOGNORMAL);
	assert_true(made(job, "l")->mean == 3.4 && made(job, "l")->stddev == 0.5);
	assert_int_equal(made(job, "w")->generator, GENERATE_NOW);
	assert_int_equal(job->json.on_bad_field, BAD_NULL);
	assert_int_equal(job->columns[5].format, TIMESTAMP_EPOCH_SECONDS);
	assert_int_equal(job->window.on_empty, EMPTY_ZERO);
	assert_int_equal(job->dead_letter.kind, SINK_FILE);
	assert_string_equal(job->dead_letter.file.path, "dead.jsonl");
	jobspecs_release(&jobs);
}

static void defaults_test(void **state)
{
	struct jobspecs jobs =
	        good_jobs("least", slice_of("apiVersion: streamjob.dev/v1alpha1\n"
	                                    "kind: StreamJob\n"
	                                    "metadata: {name: least}\n"
	                                    "spec:\n"
	                                    "  source: {kafka: {bootstrapServers: k, topic: t}}\n"
	                                    "  columns: [{name: a, type: TIMESTAMP}]\n"
	                                    "  window: {tumbling: {size: 1s}}\n"
	                                    "  aggregates: [{name: k, expr: COUNT(*)}]\n"
	                                    "  sinks:\n"
	                                    "  - stdout: {}\n"
	                                    "  - pushgateway: {url: 'http://g', job: j,\n"
	                                    "                  metrics: [{name: k, type: gauge, value: k}]}\n"));
	const struct jobspec *job = jobs.items[0];
	const struct pushgateway_sink *gateway = &job->sinks[1].pushgateway;

	(void)state;
	assert_string_equal(job->namespace, "default");
	assert_string_equal(job->source.kafka.group_id, "streamjob.default.least");
	assert_int_equal(job->source.kafka.starting_offsets, START_LATEST);
	assert_int_equal(job->source.kafka.on_offset_loss, OFFSET_LOSS_FAIL);
	assert_string_equal(job->source.kafka.client.security.protocol, "PLAINTEXT");
	assert_null(job->source.kafka.client.security.mechanism);
	assert_int_equal(job->source.kafka.client.properties.count, 0);
	assert_int_equal(job->json.on_bad_row, BAD_SKIP);
	assert_int_equal(job->json.on_bad_field, BAD_NULL);
	assert_int_equal(job->json.on_missing_field, BAD_NULL);
	assert_string_equal(job->columns[0].path, "$.a");
	assert_int_equal(job->columns[0].format, TIMESTAMP_EPOCH_MILLIS);
	assert_null(job->filter);
	assert_null(job->having);
	assert_int_equal(job->select_count + job->group_by.count, 0);
	assert_int_equal(job->window.offset_ms, 0);
	assert_int_equal(job->window.on_empty, EMPTY_SKIP);
	assert_int_equal(job->sinks[0].stdout_format, FORMAT_JSON);
	assert_int_equal(gateway->timeout_ms, 5000);
	assert_int_equal(gateway->retry_deadline_ms, 30000);
	assert_int_equal(gateway->on_rejected, REJECTED_SKIP);
	assert_null(gateway->credentials_secret.name);
	assert_int_equal(job->dead_letter.kind, SINK_NONE);
	assert_int_equal(job->limits.groups, 1000000);
	assert_int_equal(job->limits.state_bytes, 512 << 20);
	assert_int_equal(job->limits.record_bytes, 16 << 20);
	assert_int_equal(job->watermark.max_future_skew_ms, 86400000);
	assert_int_equal(job->json.on_tombstone, TOMBSTONE_SKIP);
	assert_int_equal(job->limits.on_limit, LIMIT_FAIL);
	assert_int_equal(job->termination_grace_ms, 30000);
	jobspecs_release(&jobs);
}

static void datagen_defaults_test(void **state)
{
	struct jobspecs jobs = good_jobs(
	        "least", slice_of("apiVersion: streamjob.dev/v1alpha1\n"
	                          "kind: StreamJob\n"
	                          "metadata: {name: least}\n"
	                          "spec:\n"
	                          "  source: {datagen: {columns: {c: {choice: {values: [a]}}, s: {sequence: {}},\n"
	                          "           u: {uniform: {}}, g: {normal: {}}, l: {lognormal: {}}}}}\n"
	                          "  columns: [{name: c, type: STRING}, {name: s, type: BIGINT},\n"
	                          "            {name: u, type: DOUBLE}, {name: g, type: DOUBLE},\n"
	                          "            {name: l, type: DOUBLE}]\n"
	                          "  window: {tumbling: {size: 1s}}\n"
	                          "  aggregates: [{name: k, expr: COUNT(*)}]\n"
	                          "  sinks: [{stdout: {}}]\n"));
	const struct jobspec *job = jobs.items[0];

	(void)state;
	assert_true(job->source.datagen.rows_per_second == 1000);
	assert_int_equal(job->source.datagen.rows, 0);
	assert_int_equal(job->source.datagen.seed, 1);
	assert_null(made(job, "c")->weights);
	assert_true(made(job, "c")->null_probability == 0);
	assert_true(made(job, "s")->min == 0 && made(job, "s")->max == 9007199254740992);
	assert_true(made(job, "u")->min == 0 && made(job, "u")->max == 1);
	assert_true(made(job, "g")->mean == 0 && made(job, "g")->stddev == 1);
	assert_true(made(job, "l")->mean == 0 && made(job, "l")->stddev == 1);
	jobspecs_release(&jobs);
}

static void cluster_fields_test(void **state)
{
	struct jobspecs jobs = good_jobs("full_kafka", slice_of(full_kafka)),
	                others = good_jobs("full_stdin", slice_of(full_stdin));
	const struct cluster_spec *cluster = &jobs.items[0]->cluster, *defaults = &others.items[0]->cluster;

	(void)state;
	assert_int_equal(cluster->parallelism, 0);
	assert_true(cluster->suspend);
	assert_string_equal(cluster->image, "example.org/runtime:2");
	assert_string_equal(cluster->resources,
	                    "{\"requests\":{\"cpu\":\"500m\",\"memory\":\"1Gi\"},\"limits\":{\"memory\":\"1Gi\"}}");
	assert_string_equal(
	        cluster->pod_template,
	        "{\"metadata\":{\"labels\":{\"tier\":\"gold\"}},\"spec\":{\"nodeSelector\":{\"disk\":\"ssd\"},"
	        "\"tolerations\":[{\"key\":\"a\",\"operator\":\"Exists\"}],\"containers\":[{\"name\":"
	        "\"streamjob\",\"env\":[{\"name\":\"TZ\",\"value\":\"UTC\"}]}]}}");
	assert_string_equal(cluster->class, "gold");
	assert_int_equal(cluster->progress_deadline_ms, 90000);
	assert_int_equal(cluster->rollback, ROLLBACK_AUTO);
	assert_null(defaults->class);
	assert_int_equal(defaults->progress_deadline_ms, 600000);
	assert_int_equal(defaults->rollback, ROLLBACK_NEVER);
	assert_int_equal(cluster->deletion.pushgateway, DELETION_DELETE);
	assert_int_equal(cluster->deletion.timeout_ms, 120000);
	assert_int_equal(defaults->parallelism, 1);
	assert_false(defaults->suspend);
	assert_null(defaults->image);
	assert_int_equal(defaults->deletion.pushgateway, DELETION_KEEP);
	jobspecs_release(&jobs);
	jobspecs_release(&others);
}

static void functions_test(void **state)
{
	struct jobspecs jobs = good_jobs("full_functions", slice_of(full_functions));
	const struct jobspec *job = jobs.items[0];
	const struct function_spec *weigh = &job->functions[0], *split = &job->functions[1],
	                           *score = &job->functions[2], *top2 = &job->functions[3];

	(void)state;
	assert_int_equal(job->functions_count, 4);
	assert_string_equal(weigh->name, "weigh");
	assert_int_equal(weigh->kind, FUNCTION_SCALAR);
	assert_int_equal(weigh->language, LANGUAGE_NATIVE);
	assert_string_equal(weigh->entrypoint, "weigh.so:weigh");
	assert_int_equal(weigh->code.source, CODE_PATH);
	assert_string_equal(weigh->code.path, "/opt/weigh.so");
	assert_int_equal(weigh->returns_count, 1);
	assert_string_equal(weigh->returns[0].name, "w");
	assert_int_equal(weigh->returns[0].type, TYPE_DOUBLE);
	assert_int_equal(weigh->parameters.count, 1);
	assert_string_equal(weigh->parameters.items[0].value, "kg");
	assert_int_equal(weigh->timeout_ms, 50);
	assert_int_equal(weigh->start_timeout_ms, 3000);
	assert_int_equal(weigh->memory_bytes, 32 << 20);
	assert_int_equal(weigh->on_error, EXCEPTION_NULL);
	assert_int_equal(weigh->on_poison_row, POISON_SKIP);
	assert_int_equal(weigh->isolation, ISOLATION_IN_PROCESS);
	assert_int_equal(split->kind, FUNCTION_TABLE);
	assert_int_equal(split->code.source, CODE_CONFIG_MAP);
	assert_string_equal(split->code.config_map.name, "cm");
	assert_string_equal(split->code.config_map.key, "tags.py");
	assert_int_equal(split->on_error, EXCEPTION_DEAD_LETTER);
	assert_int_equal(split->on_poison_row, POISON_DEAD_LETTER); /* there is a dead letter */
	assert_int_equal(split->timeout_ms, 2000);
	assert_int_equal(split->start_timeout_ms, 10000);
	assert_int_equal(split->memory_bytes, 256 << 20);
	assert_int_equal(split->isolation, ISOLATION_PROCESS);
	assert_int_equal(score->kind, FUNCTION_AGGREGATE);
	assert_int_equal(score->code.source, CODE_INLINE);
	assert_string_equal(score->code.text, "x = 1\ny = 2\n");
	assert_int_equal(score->on_error, EXCEPTION_SKIP);
	assert_int_equal(score->on_poison_row, POISON_FAIL);
	assert_int_equal(top2->kind, FUNCTION_TABLE_AGGREGATE);
	assert_int_equal(top2->code.source, CODE_INSTALLED);
	assert_int_equal(top2->on_error, EXCEPTION_FAIL);
	assert_int_equal(job->lateral_count, 1);
	assert_string_equal(job->lateral[0].expr, "split(a)");
	assert_int_equal(job->lateral[0].columns.count, 2);
	assert_int_equal(job->lateral[0].join, LATERAL_LEFT);
	assert_null(job->aggregates[1].name);
	assert_int_equal(job->aggregates[1].columns.count, 2);
	assert_string_equal(job->aggregates[1].columns.items[1], "rank");
	jobspecs_release(&jobs);
}

#define SEEN_MAX 256

struct seen {
	const struct field *fields[SEEN_MAX];
	size_t count;
};

static bool was_seen(const struct seen *seen, const struct field *field)
{
	for (size_t i = 0; i < seen->count; i++)
		if (seen->fields[i] == field)
			return true;
	return false;
}

/* Notes the fields that a canonical document has with another value than the default. */
static void note(struct seen *seen, const struct object *object, const struct node *node)
{
	for (const struct field *field = object->fields; field->name; field++) {
		const struct node *value = node_get(node, field->name);

		if (!value)
			continue;
		if (field->kind == FIELD_OBJECT)
			note(seen, field->object, value);
		for (size_t i = 0; field->object && field->kind != FIELD_OBJECT && i < value->count; i++)
			note(seen, field->object, value->entries[i].value);
		if (value->kind == NODE_SCALAR && field->initial && field->offset != FIELD_NOT_STORED &&
		    slice_equal(value->text, slice_of(field->initial)))
			continue;
		if (!was_seen(seen, field) && seen->count < SEEN_MAX)
			seen->fields[seen->count++] = field;
	}
}

static void demand(const struct seen *seen, const struct object *object)
{
	for (const struct field *field = object->fields; field->name; field++) {
		if (!was_seen(seen, field) && !field->cluster)
			fail_msg("no job of full_jobs.h gives %s.%s another value than its default", object->title,
			         field->name);
		assert_true(field->doc && strlen(field->doc) > 8 && field->doc[strlen(field->doc) - 1] == '.');
		if (field->object && !field->cluster)
			demand(seen, field->object);
	}
}

static void every_field_test(void **state)
{
	static const char *const texts[] = {full_kafka, full_datagen, full_file, full_stdin, full_functions};
	struct seen seen = {.count = 0};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct jobspecs jobs = good_jobs(texts[i], slice_of(texts[i]));
		struct documents documents;
		struct syntax_problem problem;
		struct arena arena;
		struct buffer out;

		buffer_init(&out);
		arena_init(&arena);
		jobspec_canonical(jobs.items[0], &out);
		assert_int_equal(documents_parse(buffer_slice(&out), 1, &arena, &documents, &problem), 0);
		note(&seen, &spec_object, node_get(documents.roots[0], "spec"));
		arena_release(&arena);
		buffer_release(&out);
		jobspecs_release(&jobs);
	}
	demand(&seen, &spec_object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(kafka_source_test),   cmocka_unit_test(query_fields_test),
	        cmocka_unit_test(sinks_test),          cmocka_unit_test(datagen_test),
	        cmocka_unit_test(defaults_test),       cmocka_unit_test(datagen_defaults_test),
	        cmocka_unit_test(cluster_fields_test), cmocka_unit_test(functions_test),
	        cmocka_unit_test(every_field_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
