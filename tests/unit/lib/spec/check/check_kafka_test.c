#include "tests/unit/lib/spec/job_case.h"

/* librdkafka's properties and loops. */
static void kafka_test(void **state)
{
	static const struct job_case cases[] = {
	        {"the group", SOURCE,
	         "source: {kafka: {bootstrapServers: \"k:9092\", topic: t, properties: {group.id: a}}}",
	         "job.yaml:5:81: spec.source.kafka.properties[\"group.id\"]: the job sets this property itself; use "
	         "source.kafka.groupId\n"},
	        {"a password in the file", SOURCE,
	         "source: {kafka: {bootstrapServers: \"k:9092\", topic: t, properties: {sasl.password: a}}}",
	         "job.yaml:5:86: spec.source.kafka.properties[\"sasl.password\"]: the job sets this property itself; "
	         "use the field security.credentialsSecretRef: a job file holds no secrets\n"},
	        {"acks of a sink", SINK, "- kafka: {bootstrapServers: \"k:9092\", topic: t, properties: {acks: \"1\"}}",
	         "job.yaml:15:70: spec.sinks[0].kafka.properties.acks: the job sets this property itself; leave it "
	         "out: the sink waits for all replicas\n"},
	        {"a number as a property", SOURCE,
	         "source: {kafka: {bootstrapServers: \"k:9092\", topic: t, properties: {fetch.min.bytes: 1}}}",
	         "job.yaml:5:88: spec.source.kafka.properties[\"fetch.min.bytes\"]: found the integer 1; expected a "
	         "string: quote it, \"1\"\n"},
	        {"a topic with a blank", SOURCE, "source: {kafka: {bootstrapServers: \"k:9092\", topic: a b}}",
	         "job.yaml:5:55: spec.source.kafka.topic: found \"a b\"; expected a topic's name: letters, digits, ., "
	         "_ and -\n"},
	        {"a loop", SOURCE,
	         "source: {kafka: {bootstrapServers: \"k:9092\", topic: t}}\n  deadLetter: {kafka: {bootstrapServers: "
	         "\"k:9092\", topic: t}}",
	         "job.yaml:6:59: spec.deadLetter.kafka.topic: t is the topic that the job reads; choose another "
	         "topic\n"},
	};

	(void)state;
	RUN_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(kafka_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
