#include "tests/unit/lib/spec/job_case.h"

/* What was found and what was expected. */
static void types_test(void **state)
{
	static const struct job_case cases[] = {
	        {"an object where a list belongs", KEYS, "groupBy: {a: b}",
	         "job.yaml:10:12: spec.groupBy: found an object; expected a list of strings\n"},
	        {"a string where a list belongs", KEYS, "groupBy: bucket",
	         "job.yaml:10:12: spec.groupBy: found the string \"bucket\"; expected a list of strings\n"},
	        {"a number in a list of strings", KEYS, "groupBy: [5]",
	         "job.yaml:10:13: spec.groupBy[0]: found the integer 5; expected a string: quote it, \"5\"\n"},
	        {"a list where an object belongs", "window: {tumbling: {size: 1m}}", "window: []",
	         "job.yaml:9:11: spec.window: found a list; expected an object\n"},
	        {"a string where an object belongs", SOURCE, "source: stdin",
	         "job.yaml:5:11: spec.source: found the string \"stdin\"; expected an object\n"},
	        {"null where an object belongs", SOURCE,
	         "source:", "job.yaml:5:10: spec.source: has no value; expected an object\n"},
	        {"a variant with nothing in it", SOURCE, "source: {stdin: }",
	         "job.yaml:5:19: spec.source.stdin: has no value; write {}\n"},
	        {"a string where a list of objects belongs", "sinks:\n  - stdout: {}", "sinks: stdout",
	         "job.yaml:14:10: spec.sinks: found the string \"stdout\"; expected a list of objects\n"},
	        {"a string in a list of objects", SINK, "- stdout",
	         "job.yaml:15:5: spec.sinks[0]: found the string \"stdout\"; expected an object\n"},
	        {"an integer for a string", "expr: \"AVG(v)\"", "expr: 5",
	         "job.yaml:13:21: spec.aggregates[1].expr: found the integer 5; expected a string: quote it, \"5\"\n"},
	        {"a boolean for a string", "expr: \"AVG(v)\"", "expr: yes",
	         "job.yaml:13:21: spec.aggregates[1].expr: found the boolean yes; expected a string: quote it, "
	         "\"yes\"\n"},
	        {"n is a boolean to kubectl", "name: v,", "name: n,",
	         "job.yaml:8:12: spec.columns[1].name: found the boolean n; expected a string: quote it, \"n\"\n"},
	        {"null for a string", "expr: \"AVG(v)\"",
	         "expr: ", "job.yaml:13:21: spec.aggregates[1].expr: has no value; expected a string\n"},
	        {"null for an optional string", KEYS, "filter:\n  groupBy: [bucket]",
	         "job.yaml:10:10: spec.filter: has no value; expected a string\n"},
	        {"a float for a string", "expr: \"AVG(v)\"", "expr: 1.5",
	         "job.yaml:13:21: spec.aggregates[1].expr: found the number 1.5; expected a string: quote it, "
	         "\"1.5\"\n"},
	        {"an object for a string", "expr: \"AVG(v)\"", "expr: {a: b}",
	         "job.yaml:13:21: spec.aggregates[1].expr: found an object; expected a string\n"},
	        {"a string for an integer", SOURCE, "source: {stdin: {}}\n  limits: {groups: \"many\"}",
	         "job.yaml:6:20: spec.limits.groups: found the string \"many\"; expected an integer\n"},
	        {"a quoted integer", SOURCE, "source: {stdin: {}}\n  limits: {groups: \"5\"}",
	         "job.yaml:6:20: spec.limits.groups: found the string \"5\"; expected an integer\n"},
	        {"a float for an integer", SOURCE, "source: {stdin: {}}\n  limits: {groups: 1.5}",
	         "job.yaml:6:20: spec.limits.groups: found the number 1.5; expected an integer\n"},
	        {"a hexadecimal integer", SOURCE, "source: {stdin: {}}\n  limits: {groups: 0x10}",
	         "job.yaml:6:20: spec.limits.groups: 0x10 is not an integer that is read here; write decimal digits, "
	         "at most 9223372036854775807\n"},
	        {"an integer for a duration", SIZE, "size: 60",
	         "job.yaml:9:29: spec.window.tumbling.size: found the integer 60; expected a duration like 500ms, 30s, "
	         "1m30s, 2h or 1d\n"},
	        {"a string that is no duration", SIZE, "size: 1 minute",
	         "job.yaml:9:29: spec.window.tumbling.size: \"1 minute\" is not a duration; write it like 500ms, 30s, "
	         "1m30s, 2h or 1d\n"},
	        {"a list for a duration", SIZE, "size: [1m]",
	         "job.yaml:9:29: spec.window.tumbling.size: found a list; expected a duration like 500ms, 30s, 1m30s, "
	         "2h or 1d\n"},
	        {"a string that is no size", SOURCE, "source: {stdin: {}}\n  limits: {stateBytes: 1MB}",
	         "job.yaml:6:24: spec.limits.stateBytes: \"1MB\" is not a size in bytes; write it like 4096, 512Mi or "
	         "1G\n"},
	        {"a boolean for a size", SOURCE, "source: {stdin: {}}\n  limits: {stateBytes: true}",
	         "job.yaml:6:24: spec.limits.stateBytes: found the boolean true; expected a size like 4096, 512Mi or "
	         "1G\n"},
	        {"an unknown word near a known one", COLUMN, "type: bigint",
	         "job.yaml:8:21: spec.columns[1].type: unknown value \"bigint\"; did you mean BIGINT? It can be "
	         "BOOLEAN, INT, BIGINT, DOUBLE, STRING or TIMESTAMP\n"},
	        {"an unknown word", COLUMN, "type: VARCHAR",
	         "job.yaml:8:21: spec.columns[1].type: unknown value \"VARCHAR\"; it can be BOOLEAN, INT, BIGINT, "
	         "DOUBLE, STRING or TIMESTAMP\n"},
	        {"a number for a word", COLUMN, "type: 64",
	         "job.yaml:8:21: spec.columns[1].type: found the integer 64; expected BOOLEAN, INT, BIGINT, DOUBLE, "
	         "STRING or TIMESTAMP\n"},
	        {"event time", SIZE, "size: 1m, time: event",
	         "job.yaml:9:39: spec.window.tumbling.time: unknown value \"event\"; it can only be processing\n"},
	        {"null where the words have none", SOURCE, "source: {stdin: {}}\n  format: {json: {onBadRow: null}}",
	         "job.yaml:6:29: spec.format.json.onBadRow: has no value; expected skip, deadLetter or fail\n"},
	        {"an anchor does not hide the place", "expr: \"AVG(v)\"", "expr: &x [1]",
	         "job.yaml:13:24: spec.aggregates[1].expr: found a list; expected a string\n"},
	};

	(void)state;
	RUN_CASES(cases);
}

/* Bounds and patterns. */
static void bounds_test(void **state)
{
	static const struct job_case cases[] = {
	        {"too short a window", SIZE, "size: 99ms",
	         "job.yaml:9:29: spec.window.tumbling.size: 99ms is too small; at least 100ms\n"},
	        {"too long a window", SIZE, "size: 367d",
	         "job.yaml:9:29: spec.window.tumbling.size: 367d is too large; at most 366d\n"},
	        {"too many groups", SOURCE, "source: {stdin: {}}\n  limits: {groups: 2000000000}",
	         "job.yaml:6:20: spec.limits.groups: 2000000000 is too large; at most 1000000000\n"},
	        {"no groups", SOURCE, "source: {stdin: {}}\n  limits: {groups: 0}",
	         "job.yaml:6:20: spec.limits.groups: 0 is too small; at least 1\n"},
	        {"beyond int64", SOURCE, "source: {stdin: {}}\n  limits: {groups: 99999999999999999999}",
	         "job.yaml:6:20: spec.limits.groups: 99999999999999999999 is not an integer that is read here; write "
	         "decimal digits, at most 9223372036854775807\n"},
	        {"too little state", SOURCE, "source: {stdin: {}}\n  limits: {stateBytes: 1Ki}",
	         "job.yaml:6:24: spec.limits.stateBytes: 1Ki is too small; at least 1Mi\n"},
	        {"too little state in bytes", SOURCE, "source: {stdin: {}}\n  limits: {stateBytes: 1000}",
	         "job.yaml:6:24: spec.limits.stateBytes: 1000 is too small; at least 1Mi\n"},
	        {"no aggregates", "aggregates:\n  - {name: c, expr: COUNT(*)}\n  - {name: m, expr: \"AVG(v)\"}",
	         "aggregates: []", "job.yaml:11:15: spec.aggregates: has 0 entries; at least 1\n"},
	        {"no sinks", "sinks:\n  - stdout: {}", "sinks: []",
	         "job.yaml:14:10: spec.sinks: has 0 entries; at least 1\n"},
	        {"an empty name", "name: v,", "name: \"\",", "job.yaml:8:12: spec.columns[1].name: is empty\n"},
	        {"a name of 64 characters", "name: v,",
	         "name: a234567890123456789012345678901234567890123456789012345678901234,",
	         "job.yaml:8:12: spec.columns[1].name: has 64 characters; at most 63\n"},
	        {"a name with a dash", "name: v,", "name: v-1,",
	         "job.yaml:8:12: spec.columns[1].name: found \"v-1\"; expected a name: letters, digits and _, not "
	         "beginning with a digit\n"},
	        {"a name that begins with a digit", "name: v,", "name: 1v,",
	         "job.yaml:8:12: spec.columns[1].name: found \"1v\"; expected a name: letters, digits and _, not "
	         "beginning with a digit\n"},
	        {"NUL in a string", AVERAGE, "\"AVG(v)\\0\"",
	         "job.yaml:13:21: spec.aggregates[1].expr: has a NUL character\n"},
	        {"a path without $", COLUMN, "type: BIGINT, path: v",
	         "job.yaml:8:35: spec.columns[1].path: \"v\" is not a path; a path begins with $, like "
	         "$.metrics.latency_ms\n"},
	        {"a path of nothing", COLUMN, "type: BIGINT, path: $.a..b",
	         "job.yaml:8:35: spec.columns[1].path: \"$.a..b\" is not a path; at character 4, \"..b\" is not .name, "
	         "['name'] or [index]\n"},
	        {"an empty expression", AVERAGE, "\"\"", "job.yaml:13:21: spec.aggregates[1].expr: is empty\n"},
	        {"a negative rate", SOURCE, "source: {datagen: {rowsPerSecond: -1, columns: {v: {sequence: {}}}}}",
	         "job.yaml:5:37: spec.source.datagen.rowsPerSecond: -1 is too small; at least 0\n"},
	        {"a probability of 2", SOURCE, "source: {datagen: {columns: {v: {sequence: {}, nullProbability: 2}}}}",
	         "job.yaml:5:67: spec.source.datagen.columns.v.nullProbability: 2 is too large; at most 1\n"},
	        {"a rate that is no number", SOURCE,
	         "source: {datagen: {rowsPerSecond: .inf, columns: {v: {sequence: {}}}}}",
	         "job.yaml:5:37: spec.source.datagen.rowsPerSecond: .inf is not a number that is read here; write it "
	         "like 1, 0.5 or 1e6\n"},
	        {"a grace period of nothing", SOURCE, "source: {stdin: {}}\n  terminationGracePeriod: 0s",
	         "job.yaml:6:27: spec.terminationGracePeriod: 0s is too small; at least 1s\n"},
	};

	(void)state;
	RUN_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(types_test), cmocka_unit_test(bounds_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
