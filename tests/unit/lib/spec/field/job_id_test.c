/* What jobs are called in systems that they share: no two alike. */
#include "lib/spec/field/job_id.h"

#include "lib/base/text.h"
#include "tests/unit/lib/spec/job_case.h"

#define LONG_NAME "a23456789-123456789-123456789-123456789-123456789-123456789-123"

#define LONGEST LONG_NAME "." LONG_NAME "." LONG_NAME "-123456789-123456789-123456789-123456789-123456789"

/* A job of that namespace and name with two Kafka sinks; `group` is YAML: a groupId, or nothing. */
static struct jobspecs kafka_job(const char *namespace, const char *name, const char *group)
{
	char text[2048];

	snprintf(text, sizeof(text),
	         "apiVersion: streamjob.dev/v1alpha1\nkind: StreamJob\n"
	         "metadata: {name: '%s', namespace: '%s'}\nspec:\n"
	         "  source: {kafka: {bootstrapServers: 'k:1', topic: t%s}}\n"
	         "  columns: [{name: v, type: BIGINT}]\n"
	         "  window: {tumbling: {size: 1m}}\n"
	         "  aggregates: [{name: k, expr: COUNT(*)}]\n"
	         "  sinks: [{kafka: {bootstrapServers: 'k:1', topic: o}}, {kafka: {bootstrapServers: 'k:1', topic: "
	         "p}}]\n",
	         name, namespace, group);
	return good_jobs(name, slice_of(text));
}

static void ids_of(const char *namespace, const char *name, char ret_ids[3][JOB_ID_MAX + 1])
{
	struct jobspecs jobs = kafka_job(namespace, name, "");

	snprintf(ret_ids[0], JOB_ID_MAX + 1, "%s", jobs.items[0]->source.kafka.group_id);
	job_sink_id(jobs.items[0], 0, ret_ids[1]);
	job_sink_id(jobs.items[0], 1, ret_ids[2]);
	jobspecs_release(&jobs);
}

/* Each pair of jobs has six different ids; most shared one where '-' joined the parts. */
static void pairs_test(void **state)
{
	static const char *const rows[][4] = {
	        {"prod", "eu-feed", "prod-eu", "feed"},
	        {"a", "b-c-d", "a-b-c", "d"},
	        {"a", "b-c-d", "a-b", "c-d"},
	        {"prod", "feed-1", "prod", "feed"},
	        {"prod", "feed", "prod", "feed-sink"},
	        {"prod", "feed", "prod", "feed-sink-o"},
	        {"1", "1-1", "1-1", "1"},
	        {LONG_NAME, "b", LONG_NAME, "c"},
	        {"prod", "feed", "prod", "feed.sink-o"},
	        {"prod", "feed.eu", "prod", "feed-eu"},
	        {"prod", "x" LONGEST "1", "prod", "x" LONGEST "2"},
	        {LONG_NAME, "x." LONGEST, LONG_NAME, "x-" LONGEST},
	        {LONG_NAME, "x." LONGEST, LONG_NAME, "x." LONGEST ".a"},
	};
	char ids[6][JOB_ID_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ids_of(rows[i][0], rows[i][1], ids);
		ids_of(rows[i][2], rows[i][3], ids + 3);
		for (size_t a = 0; a < 6; a++)
			for (size_t b = a + 1; b < 6; b++)
				if (!strcmp(ids[a], ids[b]))
					fail_msg("%s/%s and %s/%s share %s", rows[i][0], rows[i][1], rows[i][2],
					         rows[i][3], ids[a]);
	}
	ids_of("prod", "eu-feed", ids);
	assert_string_equal(ids[0], "streamjob.prod.eu-feed");
	assert_string_equal(ids[2], "streamjob.prod.eu-feed.sink-p");
	ids_of(LONG_NAME, LONG_NAME, ids);
	assert_string_equal(ids[0], "streamjob." LONG_NAME "." LONG_NAME);
}

/* Jobs of one name in two clusters, told apart by their groupId, do not fence each other's sinks. */
static void given_group_test(void **state)
{
	struct jobspecs first = kafka_job("prod", "feed", ", groupId: east"),
	                second = kafka_job("prod", "feed", ", groupId: west");
	char id[JOB_ID_MAX + 1], other[JOB_ID_MAX + 1];

	(void)state;
	job_sink_id(first.items[0], 0, id);
	job_sink_id(second.items[0], 0, other);
	assert_string_equal(id, "east.sink-o");
	assert_string_not_equal(id, other);
	jobspecs_release(&first);
	jobspecs_release(&second);
}

/* Groups of 249 characters that differ in the last one; of one byte each, and of two. */
static void long_group_test(void **state)
{
	static const char *const letters[] = {"g", "\xc3\xa9"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char group[1024] = ", groupId: ", id[JOB_ID_MAX + 1], other[JOB_ID_MAX + 1];
		struct jobspecs jobs;

		for (size_t k = 0; k < JOB_ID_MAX - 1; k++)
			strcat(group, letters[i]);
		strcat(group, "1");
		jobs = kafka_job("prod", "feed", group);
		job_sink_id(jobs.items[0], 0, id);
		jobspecs_release(&jobs);
		group[strlen(group) - 1] = '2';
		jobs = kafka_job("prod", "feed", group);
		job_sink_id(jobs.items[0], 0, other);
		jobspecs_release(&jobs);
		assert_string_not_equal(id, other);
		assert_true(strlen(id) <= JOB_ID_MAX && text_is_utf8(slice_of(id)));
	}
}

/* What a sink is called does not depend on the sinks beside it, and no two have one name. */
static void neighbours_test(void **state)
{
	static const struct {
		const char *name, *sinks; /* in which the last one is looked at */
		size_t index;
		const char *id;
	} rows[] = {
	        {"alone", "[{kafka: {bootstrapServers: 'k:1', topic: o}}]", 0, "g.sink-o"},
	        {"behind a file", "[{file: {path: /f}}, {kafka: {bootstrapServers: 'k:1', topic: o}}]", 1, "g.sink-o"},
	        {"behind another topic",
	         "[{kafka: {bootstrapServers: 'k:1', topic: p}}, {kafka: {bootstrapServers: 'k:1', topic: o}}]", 1,
	         "g.sink-o"},
	        {"the topic twice",
	         "[{kafka: {bootstrapServers: 'k:1', topic: o}}, {file: {path: /f}}, {kafka: {bootstrapServers: "
	         "'k:2', topic: o}}]",
	         2, "g.sink-o:2"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[4096], id[JOB_ID_MAX + 1];
		struct jobspecs jobs;

		snprintf(text, sizeof(text),
		         "apiVersion: streamjob.dev/v1alpha1\nkind: StreamJob\nmetadata: {name: j}\nspec:\n"
		         "  source: {kafka: {bootstrapServers: 'k:1', topic: t, groupId: g}}\n"
		         "  columns: [{name: a, type: BIGINT}]\n  window: {tumbling: {size: 1s}}\n"
		         "  aggregates: [{name: k, expr: COUNT(*)}]\n  sinks: %s\n",
		         rows[i].sinks);
		jobs = good_jobs(rows[i].name, slice_of(text));
		job_sink_id(jobs.items[0], rows[i].index, id);
		if (strcmp(id, rows[i].id) != 0)
			fail_msg("%s: %s instead of %s", rows[i].name, id, rows[i].id);
		jobspecs_release(&jobs);
	}
}

/* A sink behind a source without a group. */
static void no_group_test(void **state)
{
	char *text = spoil("sink", SINK, "- kafka: {bootstrapServers: 'k:1', topic: o}"), id[JOB_ID_MAX + 1];
	struct jobspecs jobs = good_jobs("no group", slice_of(text));

	(void)state;
	job_sink_id(jobs.items[0], 0, id);
	assert_string_equal(id, "streamjob.default.j.sink-o");
	jobspecs_release(&jobs);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(pairs_test), cmocka_unit_test(given_group_test),
	                                   cmocka_unit_test(long_group_test), cmocka_unit_test(neighbours_test),
	                                   cmocka_unit_test(no_group_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
