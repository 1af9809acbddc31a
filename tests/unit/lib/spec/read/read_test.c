#include "tests/unit/lib/spec/job_case.h"

/* Exactly one of the variants. */
static void variants_test(void **state)
{
	static const struct job_case cases[] = {
	        {"no source", SOURCE, "source: {}",
	         "job.yaml:5:11: spec.source: has none of kafka, file, stdin and datagen; give exactly one\n"},
	        {"two sources", SOURCE, "source: {stdin: {}, file: {path: a}}",
	         "job.yaml:5:11: spec.source: has 2 of kafka, file, stdin and datagen; give exactly one\n"},
	        {"an unknown source", SOURCE, "source: {kinesis: {}}",
	         "job.yaml:5:12: spec.source.kinesis: unknown field; known here: kafka, file, stdin and datagen\n"},
	        {"a nearly known source", SOURCE, "source: {kafak: {}}",
	         "job.yaml:5:12: spec.source.kafak: unknown field; did you mean kafka?\n"},
	        {"a field in stdin", SOURCE, "source: {stdin: {path: a}}",
	         "job.yaml:5:20: spec.source.stdin.path: unknown field; nothing goes in here\n"},
	        {"no sink in a list entry", SINK, "- {}",
	         "job.yaml:15:5: spec.sinks[0]: has none of pushgateway, kafka, file and stdout; give exactly one\n"},
	        {"two sinks in one entry", SINK, "- {stdout: {}, file: {path: a}}",
	         "job.yaml:15:5: spec.sinks[0]: has 2 of pushgateway, kafka, file and stdout; give exactly one\n"},
	        {"no dead letter kind", SOURCE, "source: {stdin: {}}\n  deadLetter: {}",
	         "job.yaml:6:15: spec.deadLetter: has none of file and kafka; give exactly one\n"},
	        {"two generators", SOURCE, "source: {datagen: {columns: {v: {sequence: {}, now: {}}}}}",
	         "job.yaml:5:35: spec.source.datagen.columns.v: has 2 of sequence, choice, uniform, normal, lognormal "
	         "and now; give exactly one\n"
	         "job.yaml:5:55: spec.source.datagen.columns.v.now: now does not make a BIGINT, which column v is; use "
	         "choice, or declare the column as TIMESTAMP\n"},
	        {"no generator", SOURCE, "source: {datagen: {columns: {v: {nullProbability: 0.5}}}}",
	         "job.yaml:5:35: spec.source.datagen.columns.v: has none of sequence, choice, uniform, normal, "
	         "lognormal and now; give exactly one\n"},
	        {"required fields of a variant", SOURCE, "source: {kafka: {}}",
	         "job.yaml:5:19: spec.source.kafka.bootstrapServers: is missing; add it: some brokers, host:port, "
	         "separated by commas\n"
	         "job.yaml:5:19: spec.source.kafka.topic: is missing; add it: the topic to read, all partitions\n"},
	};

	(void)state;
	RUN_CASES(cases);
}

/* What the fields of one object must agree on. */
static void rules_test(void **state)
{
	static const struct job_case cases[] = {
	        {"offset as long as size", SIZE, "size: 1m, offset: 1m",
	         "job.yaml:9:41: spec.window.tumbling.offset: offset is not shorter than size; give an offset between "
	         "0s and the size\n"},
	        {"format without TIMESTAMP", COLUMN, "type: BIGINT, format: iso8601",
	         "job.yaml:8:37: spec.columns[1].format: format is only for type TIMESTAMP; leave it out, or declare "
	         "the column as TIMESTAMP\n"},
	        {"bad rows without dead letter", SOURCE,
	         "source: {stdin: {}}\n  format: {json: {onBadRow: deadLetter}}",
	         "job.yaml:6:29: spec.format.json.onBadRow: the policy is deadLetter, but there is no spec.deadLetter; "
	         "add deadLetter with a file or a Kafka topic, or choose another policy\n"},
	        {"bad fields without dead letter", SOURCE,
	         "source: {stdin: {}}\n  format: {json: {onBadField: deadLetter}}",
	         "job.yaml:6:31: spec.format.json.onBadField: the policy is deadLetter, but there is no "
	         "spec.deadLetter; add deadLetter with a file or a Kafka topic, or choose another policy\n"},
	        {"missing fields without dead letter", SOURCE,
	         "source: {stdin: {}}\n  format: {json: {onMissingField: deadLetter}}",
	         "job.yaml:6:35: spec.format.json.onMissingField: the policy is deadLetter, but there is no "
	         "spec.deadLetter; add deadLetter with a file or a Kafka topic, or choose another policy\n"},
	        {"stdout twice", SINK, "- stdout: {}\n  - stdout: {format: table}",
	         "job.yaml:15:3: spec.sinks: more than one sink is stdout; keep one of them\n"},
	        {"SASL without credentials", SOURCE,
	         "source: {kafka: {bootstrapServers: \"k:9092\", topic: t, security: {protocol: SASL_SSL, mechanism: "
	         "PLAIN}}}",
	         "job.yaml:5:79: spec.source.kafka.security.protocol: a SASL protocol needs mechanism and "
	         "credentialsSecretRef; add both, or use protocol PLAINTEXT or SSL\n"},
	        {"credentials without SASL", SOURCE,
	         "source: {kafka: {bootstrapServers: \"k:9092\", topic: t, security: {credentialsSecretRef: {name: "
	         "s}}}}",
	         "job.yaml:5:68: spec.source.kafka.security.protocol: mechanism and credentialsSecretRef need a SASL "
	         "protocol; use protocol SASL_PLAINTEXT or SASL_SSL, or leave them out\n"},
	        {"a CA without TLS", SOURCE,
	         "source: {kafka: {bootstrapServers: \"k:9092\", topic: t, security: {protocol: SASL_PLAINTEXT, "
	         "mechanism: PLAIN, credentialsSecretRef: {name: s}, caSecretRef: {name: c}}}}",
	         "job.yaml:5:79: spec.source.kafka.security.protocol: caSecretRef and clientCertificateSecretRef need "
	         "a TLS protocol; use protocol SSL or SASL_SSL, or leave them out\n"},
	        {"a secret without a name", SOURCE,
	         "source: {kafka: {bootstrapServers: \"k:9092\", topic: t, security: {protocol: SSL, caSecretRef: "
	         "{}}}}",
	         "job.yaml:5:97: spec.source.kafka.security.caSecretRef.name: is missing; add it: name of a Secret in "
	         "the job's namespace\n"},
	        {"a CA for http", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, caSecretRef: {name: s}, metrics: [{name: c, type: "
	         "gauge, value: c, labels: [bucket]}]}",
	         "job.yaml:15:62: spec.sinks[0].pushgateway.caSecretRef: caSecretRef needs an https URL; write url: "
	         "https://... or leave caSecretRef out\n"},
	        {"a deadline shorter than an attempt", SINK,
	         "- pushgateway: {url: \"http://g:9091\", job: j, timeout: 10s, retryDeadline: 5s, metrics: [{name: c, "
	         "type: gauge, value: c, labels: [bucket]}]}",
	         "job.yaml:15:78: spec.sinks[0].pushgateway.retryDeadline: retryDeadline is shorter than timeout; give "
	         "attempts at least the time of one\n"},
	        {"weights that do not match", SOURCE,
	         "source: {datagen: {columns: {bucket: {choice: {values: [a, b], weights: [1]}}}}}",
	         "job.yaml:5:75: spec.source.datagen.columns.bucket.choice.weights: there is not one weight for each "
	         "value; give as many weights as values, or none\n"},
	        {"no weight at all", SOURCE,
	         "source: {datagen: {columns: {bucket: {choice: {values: [a, b], weights: [0, 0]}}}}}",
	         "job.yaml:5:75: spec.source.datagen.columns.bucket.choice.weights: all weights are 0; give at least "
	         "one value a weight above 0\n"},
	        {"an empty range", SOURCE, "source: {datagen: {columns: {v: {uniform: {min: 5, max: 5}}}}}",
	         "job.yaml:5:59: spec.source.datagen.columns.v.uniform.max: max is not above min; give a max above "
	         "min\n"},
	        {"a sequence that ends before it starts", SOURCE,
	         "source: {datagen: {columns: {v: {sequence: {start: 5, end: 4}}}}}",
	         "job.yaml:5:62: spec.source.datagen.columns.v.sequence.end: end is not above start; give an end above "
	         "start\n"},
	};

	(void)state;
	RUN_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(variants_test), cmocka_unit_test(rules_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
