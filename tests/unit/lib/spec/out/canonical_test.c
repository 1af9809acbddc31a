/* Equal jobs have equal bytes; what was written reads back as the same job. */
#include "tests/unit/lib/spec/full_jobs.h"
#include "tests/unit/lib/spec/job_case.h"

/* The canonical text of the only job; free(). ret_hash has 17 bytes. */
static char *canonical(const char *name, struct slice text, char *ret_hash)
{
	struct jobspecs jobs = good_jobs(name, text);
	struct buffer out;

	buffer_init(&out);
	jobspec_canonical(jobs.items[0], &out);
	memcpy(ret_hash, jobs.items[0]->spec_hash, sizeof(jobs.items[0]->spec_hash));
	jobspecs_release(&jobs);
	return buffer_take(&out);
}

static void reads_back_test(void **state)
{
	static const char *const texts[] = {full_kafka, full_datagen, full_file, full_stdin, full_functions};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char hash[17], again_hash[17];
		char *text = canonical("as written", slice_of(texts[i]), hash);
		char *again = canonical("read back", slice_of(text), again_hash);

		assert_string_equal(again, text);
		assert_string_equal(again_hash, hash);
		assert_int_equal(strspn(hash, "0123456789abcdef"), 16);
		free(text);
		free(again);
	}
}

static void whole_text_test(void **state)
{
	char hash[17];
	char *text = canonical("the good job", slice_of(good_job), hash);

	(void)state;
	assert_string_equal(
	        text,
	        "{\"apiVersion\":\"streamjob.dev/v1alpha1\",\"kind\":\"StreamJob\",\"metadata\":{\"name\":\"j\","
	        "\"namespace\":\"default\"},\"spec\":{\"source\":{\"stdin\":{}},\"format\":{\"json\":{\"onBadRow\":"
	        "\"skip\",\"onBadField\":\"null\",\"onMissingField\":\"null\",\"onTombstone\":\"skip\"}},\"columns\":[{"
	        "\"name\":\"bucket\","
	        "\"type\":\"STRING\",\"path\":\"$.bucket\"},{\"name\":\"v\",\"type\":\"BIGINT\",\"path\":\"$.v\"}],"
	        "\"window\":{\"tumbling\":{\"size\":\"1m\",\"offset\":\"0s\",\"time\":\"processing\",\"onEmpty\":"
	        "\"skip\",\"forgetAfter\":1440}},\"watermark\":{\"maxFutureSkew\":\"1d\"},\"groupBy\":[\"bucket\"],"
	        "\"aggregates\":[{"
	        "\"name\":\"c\",\"expr\":\"COUNT(*)\"},{\"name\":"
	        "\"m\",\"expr\":\"AVG(v)\"}],\"sinks\":[{\"stdout\":{\"format\":\"json\"}}],\"limits\":{\"groups\":"
	        "1000000,\"knownGroups\":100000,\"stateBytes\":\"512Mi\",\"recordBytes\":\"16Mi\",\"onLimit\":\"fail\","
	        "\"badRowShare\":0.05},"
	        "\"strict\":false,\"showValues\":false,\"terminationGracePeriod\":\"30s\"}}");
	free(text);
}

static void hash_test(void **state)
{
	static const struct {
		const char *name, *find, *replace;
		bool same;
	} rows[] = {
	        {"a default said", SIZE, "size: 1m, offset: 0s", true},
	        {"another way to say it", SIZE, "size: 60s", true},
	        {"quotes", SIZE, "'size': \"1m\"", true},
	        {"a comment", SINK, "- stdout: {} # for people", true},
	        {"another order", "{name: c, expr: COUNT(*)}", "{expr: COUNT(*), name: c}", true},
	        {"the default namespace", "{name: j}", "{name: j, namespace: default, labels: {a: b}}", true},
	        {"another size", SIZE, "size: 2m", false},
	        {"another name", "{name: j}", "{name: k}", false},
	        {"another namespace", "{name: j}", "{name: j, namespace: k}", false},
	        {"another expression", AVERAGE, "\"AVG(v) \"", false},
	        {"another column", COLUMN, "type: INT", false},
	};
	char hash[17];
	char *text = canonical("the good job", slice_of(good_job), hash);

	(void)state;
	free(text);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *changed = spoil(rows[i].name, rows[i].find, rows[i].replace), other[17];

		free(canonical(rows[i].name, slice_of(changed), other));
		if (!strcmp(hash, other) != rows[i].same)
			fail_msg("%s: the hash is %s", rows[i].name, rows[i].same ? "another" : "the same");
		free(changed);
	}
}

static void query_hash_of(const char *name, const char *text, char *ret_hash)
{
	struct jobspecs jobs = good_jobs(name, slice_of(text));

	jobspec_query_hash(jobs.items[0], ret_hash);
	jobspecs_release(&jobs);
}

static const char with_more[] =
        "apiVersion: streamjob.dev/v1alpha1\nkind: StreamJob\nmetadata: {name: more}\nspec:\n"
        "  source: {kafka: {bootstrapServers: 'b:9092', topic: t, keyEncoding: base64}}\n"
        "  columns:\n  - {name: k, type: STRING}\n  - {name: v, type: DOUBLE, path: $.a.v}\n"
        "  - {name: ts, type: TIMESTAMP, format: epochMillis}\n"
        "  filter: v > 0\n  select: [{name: w, expr: same(v)}]\n"
        "  functions: [{name: same, kind: scalar, entrypoint: 'm:same', code: {inline: 'x'}, onError: skip}]\n"
        "  window: {tumbling: {size: 10s, onEmpty: zero}}\n  groupBy: [k]\n"
        "  aggregates: [{name: s, expr: SUM(w)}]\n  having: s > 1\n"
        "  limits: {groups: 5, onLimit: dropNewGroups, badRowShare: 0.5}\n  sinks: [{stdout: {}}]\n";

/*
 * A window may be pending under the hash that an earlier version gave: a job file's hash is for ever. A new field with
 * a default changes none of these.
 */
static void query_hash_test(void **state)
{
	static const struct {
		const char *name, *text, *hash;
	} jobs[] = {
	        {"the good job", good_job, "908cdd1f3d755014"},
	        {"one with more", with_more, "201698bab1c9ef2a"},
	};
	static const struct {
		const char *name, *find, *replace;
		bool same;
	} rows[] = {
	        {"defaults said", SIZE, "size: 1m, offset: 0s, time: processing, onEmpty: skip, forgetAfter: 1440",
	         true},
	        {"what is no default", SIZE, "size: 1m, onEmpty: zero", false},
	        {"another sink", SINK, "- file: {path: x}", true},
	        {"another name", "{name: j}", "{name: k}", true},
	        {"another expression", AVERAGE, "\"AVG(v) \"", false},
	        {"another column", COLUMN, "type: INT", false},
	};
	char hash[JOBSPEC_QUERY_HASH_BYTES], other[JOBSPEC_QUERY_HASH_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		query_hash_of(jobs[i].name, jobs[i].text, hash);
		if (strcmp(hash, jobs[i].hash) != 0)
			fail_msg("%s: the hash of the query is %s and was %s", jobs[i].name, hash, jobs[i].hash);
	}
	query_hash_of("the good job", good_job, hash);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *changed = spoil(rows[i].name, rows[i].find, rows[i].replace);

		query_hash_of(rows[i].name, changed, other);
		if (!strcmp(hash, other) != rows[i].same)
			fail_msg("%s: the hash is %s", rows[i].name, rows[i].same ? "another" : "the same");
		free(changed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(reads_back_test), cmocka_unit_test(whole_text_test),
	                                   cmocka_unit_test(hash_test), cmocka_unit_test(query_hash_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
