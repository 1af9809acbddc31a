/*
 * What is kept of the objects of each kind: what is read, and nothing of what somebody hangs on to them. That plans are
 * the same without the rest, all other tests of this room show: world.c trims what a plan observes.
 */
#include "operator/reconcile/trim.h"

#include "lib/base/hash.h"
#include "tests/unit/operator/reconcile/world.h"

#define MUCH     ((size_t)900 * 1024)
#define KEPT_MAX ((size_t)2 * 1024) /* bytes, of an object that is mostly ballast */
#define OWNER                                                                                                          \
	"{\"apiVersion\":\"streamjob.dev/v1alpha1\",\"kind\":\"StreamJob\",\"name\":\"feed\",\"uid\":\"u\","           \
	"\"controller\":true,\"blockOwnerDeletion\":false}"

static json_t *text_of(size_t size)
{
	char *text = malloc(size + 1);
	json_t *json;

	assert_non_null(text);
	for (size_t i = 0; i < size; i++)
		text[i] = (char)('a' + (i * 7 + i / 26) % 26);
	text[size] = '\0';
	json = json_string(text);
	free(text);
	return json;
}

/* An object with our labels and `members`, JSON, and with ballast wherever anybody who may write it can put some. */
static json_t *loaded(const char *name, const char *component, const char *members)
{
	json_t *object = json_loads(members, 0, NULL), *owners = json_array(), *metadata;

	if (!object)
		fail_msg("not JSON: %s", members);
	for (int i = 0; i < 1000; i++)
		json_array_append_new(owners, json_pack("{s:s, s:s, s:s, s:o}", "apiVersion", "v1", "kind", "ConfigMap",
		                                        "name", "other", "uid", json_sprintf("%d", i)));
	json_array_append_new(owners, json_loads(OWNER, 0, NULL));
	metadata = json_pack("{s:s, s:s, s:s, s:s, s:s, s:[s], s:o, s:{s:s, s:s, s:s, s:s, s:s}, s:{s:s, s:o, s:o}}",
	                     "name", name, "namespace", "reco", "uid", "uid-1", "resourceVersion", "7",
	                     "creationTimestamp", "2027-01-15T08:00:00Z", "finalizers", "example.com/held",
	                     "ownerReferences", owners, "labels", LABEL_INSTANCE, "feed", LABEL_MANAGER, FIELD_MANAGER,
	                     LABEL_COMPONENT, component, LABEL_JOB_UID, "u", "team", "reco", "annotations",
	                     NOTE_APPLIED, "0123", "kubectl.kubernetes.io/last-applied-configuration", text_of(MUCH),
	                     NOTE_OPERATOR, text_of(MUCH));
	json_object_set_new(object, "metadata", metadata);
	json_object_set_new(object, "apiVersion", json_string("v1"));
	json_object_set_new(object, "kind", json_string("Some"));
	json_object_set_new(object, "ballast", text_of(MUCH));
	return object;
}

static char *kept(enum kind kind, json_t *object)
{
	char *text;

	assert_true(trim_keeps(kind, object));
	trim_object(kind, object);
	text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	assert_non_null(text);
	json_decref(object);
	return text;
}

#define METADATA(name, component)                                                                                      \
	"\"metadata\":{\"annotations\":{\"streamjob.dev/applied\":\"0123\"},\"creationTimestamp\":\"2027-01-15T08:"    \
	"00:00Z\",\"labels\":{\"app.kubernetes.io/component\":\"" component                                            \
	"\",\"app.kubernetes.io/instance\":\"feed\","                                                                  \
	"\"app.kubernetes.io/managed-by\":\"streamjob-operator\",\"streamjob.dev/job-uid\":\"u\"},\"name\":\"" name    \
	"\",\"namespace\":\"reco\",\"ownerReferences\":[{\"controller\":true,\"kind\":\"Instance\",\"uid\":\"reco/"    \
	"feed\"},{\"apiVersion\":\"streamjob.dev/v1alpha1\",\"blockOwnerDeletion\":false,\"controller\":true,"         \
	"\"kind\":\"StreamJob\",\"name\":\"feed\",\"uid\":\"u\"}],\"resourceVersion\":\"7\",\"uid\":\"uid-1\"}"

static void kinds_test(void **state)
{
	static const struct {
		enum kind kind;
		const char *component, *members, *expected; /* between "apiVersion" and "kind"; behind the metadata */
		const char *before;
	} rows[] = {
	        {KIND_SERVICE_ACCOUNT, "runtime",
	         "{\"automountServiceAccountToken\":false,\"secrets\":[{\"name\":\"s\"}],\"imagePullSecrets\":[{}]}",
	         "", "\"automountServiceAccountToken\":false,"},
	        {KIND_NETWORK_POLICY, "runtime", "{\"spec\":{\"podSelector\":{}},\"status\":{}}",
	         ",\"spec\":{\"podSelector\":{}}", ""},
	        {KIND_SERVICE, "runtime",
	         "{\"spec\":{\"clusterIP\":\"None\",\"clusterIPs\":[\"None\"],\"selector\":{\"a\":\"b\"},"
	         "\"externalIPs\":[\"10.0.0.1\"]},\"status\":{\"loadBalancer\":{}}}",
	         ",\"spec\":{\"clusterIP\":\"None\",\"selector\":{\"a\":\"b\"}}", ""},
	        {KIND_CONFIG_MAP, "job-file",
	         "{\"immutable\":true,\"data\":{\"job.json\":\"{}\",\"more\":\"x\"},\"binaryData\":{\"b\":\"YQ==\"}}",
	         "", "\"data\":{\"job.json\":\"{}\"},\"immutable\":true,"},
	        {KIND_CONFIG_MAP, "place",
	         "{\"data\":{\"known.json\":\"{}\",\"writtenAt\":\"2027-01-15T08:00:00Z\",\"job.json\":\"{}\"}}", "",
	         "\"data\":{\"known.json\":\"{}\",\"writtenAt\":\"2027-01-15T08:00:00Z\"},"},
	        {KIND_CONFIG_MAP, "other", "{\"data\":{\"job.json\":\"{}\"}}", "", "\"data\":{},"},
	        {KIND_DEPLOYMENT, "runtime", "{\"spec\":{\"replicas\":1},\"status\":{\"replicas\":1}}", "", ""},
	        {KIND_JOB, "cleanup", "{\"spec\":{\"backoffLimit\":2},\"status\":{\"active\":1}}",
	         ",\"status\":{\"active\":1}", ""},
	        {KIND_REVISION, "last-good", "{\"revision\":3,\"data\":{\"spec\":{}}}", ",\"revision\":3",
	         "\"data\":{\"spec\":{}},"},
	        {KIND_BUDGET, "runtime", "{\"spec\":{\"maxUnavailable\":1},\"status\":{\"currentHealthy\":1}}",
	         ",\"spec\":{\"maxUnavailable\":1}", ""},
	        {KIND_REPLICA_SET, "runtime", "{\"spec\":{\"replicas\":1},\"status\":{}}", "", ""},
	        {KIND_POD, "runtime",
	         "{\"spec\":{\"nodeName\":\"n\",\"volumes\":[{}],\"containers\":[{\"name\":\"side\",\"ports\":[{}]},"
	         "{\"name\":\"streamjob\",\"image\":\"i\",\"ports\":[{\"name\":\"status\"}]}]},"
	         "\"status\":{\"phase\":\"Running\",\"hostIP\":\"10.0.0.1\",\"podIPs\":[{}]}}",
	         ",\"spec\":{\"containers\":[{\"name\":\"streamjob\",\"ports\":[{\"name\":\"status\"}]}],\"nodeName\":"
	         "\"n\"},\"status\":{\"phase\":\"Running\"}",
	         ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = kept(rows[i].kind, loaded("child", rows[i].component, rows[i].members)), *expected;
		json_t *parsed;

		assert_true(asprintf(&expected,
		                     "{\"apiVersion\":\"v1\",%s\"kind\":\"Some\"," METADATA("child", "%s") "%s}",
		                     rows[i].before, rows[i].component, rows[i].expected) > 0);
		parsed = json_loads(expected, 0, NULL);
		assert_non_null(parsed);
		free(expected);
		expected = json_dumps(parsed, JSON_COMPACT | JSON_SORT_KEYS);
		if (strcmp(text, expected) != 0)
			fail_msg("row %zu:\n%s\nexpected\n%s", i, text, expected);
		json_decref(parsed);
		free(expected);
		free(text);
	}
}

/* Each kind with MUCH in every part: what is kept is small, and the object still there. */
static void large_test(void **state)
{
	static const struct {
		enum kind kind;
		const char *component, *part, *key;
	} rows[] = {
	        {KIND_SERVICE_ACCOUNT, "runtime", "automountServiceAccountToken", NULL},
	        {KIND_NETWORK_POLICY, "runtime", "spec", "ingress"},
	        {KIND_SERVICE, "runtime", "spec", "selector"},
	        {KIND_CONFIG_MAP, "job-file", "data", "job.json"},
	        {KIND_CONFIG_MAP, "place", "data", "known.json"},
	        {KIND_CONFIG_MAP, "runtime", "data", "job.json"},
	        {KIND_DEPLOYMENT, "runtime", "spec", "template"},
	        {KIND_JOB, "cleanup", "status", "conditions"},
	        {KIND_REVISION, "last-good", "data", "spec"},
	        {KIND_REVISION, "last-good", "data", "code"},
	        {KIND_BUDGET, "runtime", "spec", "selector"},
	        {KIND_REPLICA_SET, "runtime", "spec", "template"},
	        {KIND_POD, "runtime", "status", "conditions"},
	        {KIND_POD, "runtime", "spec", "volumes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *object = loaded("look-alike-0123456789abcdef", rows[i].component, "{}");
		json_t *much = rows[i].key ? json_pack("{s:o}", rows[i].key, text_of(MUCH)) : text_of(MUCH);
		char *text;

		json_object_set_new(object, rows[i].part, much);
		text = kept(rows[i].kind, object);
		if (strlen(text) > KEPT_MAX)
			fail_msg("row %zu: %zu bytes are kept", i, strlen(text));
		if (!strstr(text, "look-alike-0123456789abcdef") || !strstr(text, "\"StreamJob\""))
			fail_msg("row %zu: %s", i, text);
		free(text);
	}
}

/* What a job needs is kept whatever its size: its job file and last good spec, by their hashes, and its Deployment. */
static void genuine_test(void **state)
{
	json_t *file = text_of(MUCH), *spec = json_pack("{s:o}", "functions", text_of(MUCH)), *object;
	char hex[HASH_SHA256_HEX], hash[OBJECT_HASH_SIZE], name[64], *text;

	(void)state;
	hash_sha256_hex(slice_of(json_string_value(file)), hex);
	snprintf(name, sizeof(name), "feed-%.16s", hex);
	object = loaded(name, COMPONENT_JOB_FILE, "{}");
	json_object_set_new(object, "data", json_pack("{s:o}", "job.json", file));
	text = kept(KIND_CONFIG_MAP, object);
	assert_true(strlen(text) > MUCH);
	free(text);

	object_hash(spec, hash);
	snprintf(name, sizeof(name), "feed-%s", hash);
	object = loaded(name, COMPONENT_GOOD, "{\"revision\":1}");
	json_object_set_new(object, "data", json_pack("{s:O}", "spec", spec));
	text = kept(KIND_REVISION, object);
	assert_true(strlen(text) > MUCH);
	free(text);

	object = loaded("feed", COMPONENT_RUNTIME, "{}");
	json_object_set_new(object, "spec", json_pack("{s:o}", "template", spec));
	text = kept(KIND_DEPLOYMENT, object);
	assert_true(strlen(text) > MUCH);
	free(text);
}

/* Who is no child of a StreamJob by its controller is nobody; Pods and ReplicaSets have others above them. */
static void keeps_test(void **state)
{
	static const struct {
		const char *owners, *labels;
		bool child, pod;
	} rows[] = {
	        {"[" OWNER "]", "{\"app.kubernetes.io/instance\":\"feed\"}", true, true},
	        {"[]", "{\"app.kubernetes.io/instance\":\"feed\"}", false, true},
	        {"[" OWNER "]", "{}", false, false},
	        {"[{\"apiVersion\":\"streamjob.dev/v1\",\"kind\":\"StreamJob\",\"name\":\"feed\",\"uid\":\"u\"}]",
	         "{\"app.kubernetes.io/instance\":\"feed\"}", false, true},
	        {"[{\"apiVersion\":\"streamjob.dev/v1\",\"kind\":\"StreamJob\",\"name\":\"feed\",\"uid\":\"u\","
	         "\"controller\":true}]",
	         "{\"app.kubernetes.io/instance\":\"feed\"}", true, true},
	        {"[{\"apiVersion\":\"example.com/v1\",\"kind\":\"StreamJob\",\"name\":\"feed\",\"uid\":\"u\","
	         "\"controller\":true}]",
	         "{\"app.kubernetes.io/instance\":\"feed\"}", false, true},
	        {"[{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"name\":\"feed\",\"uid\":\"u\",\"controller\":"
	         "true}]",
	         "{\"app.kubernetes.io/instance\":\"feed\"}", false, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *object = json_pack("{s:{s:s, s:s, s:o, s:o}}", "metadata", "name", "x", "namespace", "reco",
		                           "ownerReferences", json_loads(rows[i].owners, 0, NULL), "labels",
		                           json_loads(rows[i].labels, 0, NULL));

		for (int kind = KIND_SERVICE_ACCOUNT; kind < KIND_COUNT; kind++) {
			bool is_pod = kind == KIND_POD || kind == KIND_REPLICA_SET;

			if (kind == KIND_JOB) /* says whose it is by a label */
				continue;
			if (trim_keeps((enum kind)kind, object) != (is_pod ? rows[i].pod : rows[i].child))
				fail_msg("row %zu, %s", i, kind_names[kind].kind);
		}
		assert_false(trim_keeps(KIND_JOB, object));
		json_decref(object);
	}
}

/* A StreamJob stays what kubectl shows, line by line, but for the length of what nobody reads. */
static void stream_job_test(void **state)
{
	json_t *job = json_pack("{s:{s:s, s:{s:s, s:o, s:o, s:s}}, s:{s:s}}", "metadata", "name", "feed", "annotations",
	                        "short", "as it is", "long", text_of(MUCH), NOTE_TAKE_OVER, text_of(MUCH), NOTE_RESTART,
	                        "1", "spec", "topic", "events");
	json_t *notes = json_object_get(json_object_get(job, "metadata"), "annotations");
	struct buffer lines;

	(void)state;
	buffer_init(&lines);
	for (int i = 0; i < 300; i++)
		buffer_printf(&lines, "line %d\n", i);
	json_object_set_new(notes, "lines", json_string(lines.data));
	buffer_release(&lines);
	trim_object(KIND_STREAM_JOB, job);
	assert_string_equal(object_text(job, "spec", "topic", NULL), "events");
	assert_string_equal(object_text(notes, "short", NULL), "as it is");
	assert_string_equal(object_text(notes, NOTE_RESTART, NULL), "1");
	assert_string_equal(object_text(notes, "long", NULL), "x");
	assert_string_equal(object_text(notes, NOTE_TAKE_OVER, NULL), "x");
	assert_int_equal(json_string_length(json_object_get(notes, "lines")), 600);
	assert_memory_equal(object_text(notes, "lines", NULL), "x\nx\nx\n", 6);
	json_decref(job);
}

/* Containers that all end with as many words as Kubernetes takes: how they are is known, and the end of the words. */
static void containers_test(void **state)
{
	static const char *const lists[] = {"containerStatuses", "initContainerStatuses"};

	(void)state;
	for (size_t l = 0; l < 2; l++) {
		json_t *pod = loaded("child", "runtime", "{\"spec\":{},\"status\":{}}"), *list = json_array(), *one;
		struct buffer words;
		size_t index;

		buffer_init(&words);
		for (int i = 0; i < 2040; i++)
			buffer_append_text(&words, "\xc3\xa9");
		buffer_append_text(&words, "the end");
		for (int i = 0; i < 3; i++)
			json_array_append_new(
			        list, json_pack("{s:o, s:i, s:b, s:s, s:{s:{s:i, s:s}}, s:{s:{s:i, s:s}}}", "name",
			                        i ? json_sprintf("side-%d", i) : json_string("streamjob"),
			                        "restartCount", 3, "ready", 0, "imageID", "sha256", "state",
			                        "terminated", "exitCode", 2, "message", words.data, "lastState",
			                        "terminated", "exitCode", 3, "message", words.data));
		json_object_set_new(json_object_get(pod, "status"), lists[l], list);
		trim_object(KIND_POD, pod);
		list = json_object_get(json_object_get(pod, "status"), lists[l]);
		assert_int_equal(json_array_size(list), 3);
		json_array_foreach(list, index, one)
		{
			const char *said = object_text(one, "lastState", "terminated", "message", NULL);

			assert_int_equal(object_integer(one, "state", "terminated", "exitCode", NULL), 2);
			assert_int_equal(object_integer(one, "restartCount", NULL), 3);
			assert_in_range(strlen(said), 1000, 1024);
			assert_string_equal(said + strlen(said) - strlen("the end"), "the end");
		}
		json_decref(pod);
		buffer_release(&words);
	}
}

/* What anybody writes into the note of a job's name makes it no child of a job of another namespace. */
static void stranger_test(void **state)
{
	static const char *const characters[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "x", "/"};

	(void)state;
	for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
		for (size_t before = 0; before < 4; before++) {
			json_t *object = loaded("child", "runtime", "{}"),
			       *metadata = json_object_get(object, "metadata");
			json_t *owner = json_loads(OWNER, 0, NULL);
			struct buffer name;

			buffer_init(&name);
			for (size_t n = 0; n < before; n++)
				buffer_append_char(&name, 'x');
			for (size_t n = 0; n < 300; n++)
				buffer_append_text(&name, characters[i]);
			json_object_set_new(json_object_get(metadata, "labels"), LABEL_INSTANCE, json_string("x_y"));
			json_object_set_new(json_object_get(metadata, "annotations"), NOTE_JOB, json_string(name.data));
			json_object_set_new(owner, "uid", json_string("victim/feed"));
			json_object_set_new(metadata, "ownerReferences", json_pack("[o]", owner));
			assert_true(trim_keeps(KIND_DEPLOYMENT, object));
			trim_object(KIND_DEPLOYMENT, object);
			owner = json_array_get(json_object_get(metadata, "ownerReferences"), 0);
			assert_string_equal(object_text(owner, "kind", NULL), "Instance");
			assert_int_equal(strncmp(object_text(owner, "uid", NULL), "reco/", 5), 0);
			json_decref(object);
			buffer_release(&name);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(kinds_test),      cmocka_unit_test(large_test),      cmocka_unit_test(genuine_test),
	        cmocka_unit_test(keeps_test),      cmocka_unit_test(stream_job_test), cmocka_unit_test(stranger_test),
	        cmocka_unit_test(containers_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
