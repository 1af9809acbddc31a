/* Which pods are the job's, and which of these are asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "operator/reconcile/belongs.h"

/* JSON with ' for ". */
static json_t *parse(const char *text)
{
	char *copy = strdup(text);
	json_t *json;

	for (char *c = copy; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	json = json_loads(copy, 0, NULL);
	if (!json)
		fail_msg("not JSON: %s", copy);
	free(copy);
	return json;
}

#define OWNER(uid) "'ownerReferences': [{'uid': '" uid "', 'controller': true}]"
#define SET(uid, of, rev, made)                                                                                        \
	"{'metadata': {'uid': '" uid "', 'creationTimestamp': '2027-01-15T08:00:" made "Z', 'annotations': "           \
	"{'deployment.kubernetes.io/revision': '" rev "'}, " OWNER(of) "}}"
#define POD(of)    "{'metadata': {" OWNER(of) "}}"
#define DEPLOYMENT "{'metadata': {'uid': 'd', 'annotations': {'deployment.kubernetes.io/revision': '2'}}}"

static void chain_test(void **state)
{
	static const struct {
		const char *name, *pod, *sets, *deployment;
		bool belongs;
	} rows[] = {
	        {"the whole chain", POD("r"), "[" SET("r", "d", "2", "01") "]", DEPLOYMENT, true},
	        {"a label only", "{'metadata': {'labels': {'streamjob.dev/job-uid': 'j'}}}",
	         "[" SET("r", "d", "2", "01") "]", DEPLOYMENT, false},
	        {"a ReplicaSet that is not there", POD("x"), "[" SET("r", "d", "2", "01") "]", DEPLOYMENT, false},
	        {"an owner that does not control it", "{'metadata': {'ownerReferences': [{'uid': 'r'}]}}",
	         "[" SET("r", "d", "2", "01") "]", DEPLOYMENT, false},
	        {"the Deployment itself as owner", POD("d"), "[" SET("r", "d", "2", "01") "]", DEPLOYMENT, false},
	        {"a ReplicaSet of another Deployment", POD("r"), "[" SET("r", "e", "2", "01") "]", DEPLOYMENT, false},
	        {"the Deployment is gone", POD("r"), "[" SET("r", "d", "2", "01") "]", NULL, false},
	        {"an empty UID", POD(""), "[" SET("", "d", "2", "01") "]", DEPLOYMENT, false},
	        {"of an earlier revision", POD("r"), "[" SET("r", "d", "1", "01") "]", DEPLOYMENT, false},
	        {"of an earlier revision, and it goes",
	         "{'metadata': {'deletionTimestamp': '2027-01-15T08:00:00Z', " OWNER("r") "}}",
	         "[" SET("r", "d", "1", "01") "]", DEPLOYMENT, true},
	        {"somebody has made another ReplicaSet later", POD("r"),
	         "[" SET("f", "d", "2", "02") ", " SET("r", "d", "2", "01") "]", DEPLOYMENT, true},
	        {"that other one's pod", POD("f"), "[" SET("f", "d", "2", "02") ", " SET("r", "d", "2", "01") "]",
	         DEPLOYMENT, false},
	        {"two of one second", POD("r"), "[" SET("f", "d", "2", "01") ", " SET("r", "d", "2", "01") "]",
	         DEPLOYMENT, false},
	        {"no revision yet", POD("r"), "[" SET("r", "d", "", "01") "]", "{'metadata': {'uid': 'd'}}", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *pod = parse(rows[i].pod), *sets = parse(rows[i].sets);
		json_t *deployment = rows[i].deployment ? parse(rows[i].deployment) : NULL;

		if (pod_belongs(pod, sets, deployment) != rows[i].belongs)
			fail_msg("%s", rows[i].name);
		json_decref(pod);
		json_decref(sets);
		json_decref(deployment);
	}
}

static void address_test(void **state)
{
	static const struct {
		const char *pod;
		bool inside, is_asked;
	} rows[] = {
	        {"{'status': {'podIP': '10.1.2.3'}}", true, true},
	        {"{'status': {'podIP': 'fd00::1'}}", true, true},
	        {"{'status': {'podIP': '127.0.0.1'}}", true, false},
	        {"{'status': {'podIP': '127.0.0.1'}}", false, true},
	        {"{'status': {'podIP': '::1'}}", true, false},
	        {"{'status': {'podIP': '::ffff:127.0.0.1'}}", true, false},
	        {"{'status': {'podIP': '169.254.169.254'}}", false, false},
	        {"{'status': {'podIP': 'fe80::1'}}", true, false},
	        {"{'status': {'podIP': '0.0.0.0'}}", true, false},
	        {"{'spec': {'hostNetwork': true}, 'status': {'podIP': '10.1.2.3'}}", true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *pod = parse(rows[i].pod);

		if ((pod_address_trouble(pod, rows[i].inside) == NULL) != rows[i].is_asked)
			fail_msg("%s", rows[i].pod);
		json_decref(pod);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(chain_test), cmocka_unit_test(address_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
