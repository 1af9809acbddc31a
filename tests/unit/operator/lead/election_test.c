#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "operator/lead/election.h"

#define SPEC(holder, renewed)                                                                                          \
	"{\"spec\": {\"holderIdentity\": \"" holder "\", \"leaseDurationSeconds\": 10, "                               \
	"\"renewTime\": \"" renewed "\"}}"

struct look {
	int64_t at_ms;
	const char *lease; /* NULL: there is none */
	enum election_move wanted;
};

struct look_case {
	const char *name;
	struct look looks[4];
};

static void look_test(void **state)
{
	static const struct look_case cases[] = {
	        {"no lease", {{0, NULL, ELECTION_CREATE}}},
	        {"ours", {{0, SPEC("me", "t1"), ELECTION_RENEW}}},
	        {"released", {{0, SPEC("", "t1"), ELECTION_TAKE}}},
	        {"without a spec", {{0, "{}", ELECTION_TAKE}}},
	        {"another's, fresh for us whatever its time says", {{0, SPEC("you", "1970"), ELECTION_WAIT}}},
	        {"another's, unchanged for its duration",
	         {{0, SPEC("you", "t1"), ELECTION_WAIT},
	          {9999, SPEC("you", "t1"), ELECTION_WAIT},
	          {10000, SPEC("you", "t1"), ELECTION_TAKE}}},
	        {"another's, renewed meanwhile",
	         {{0, SPEC("you", "t1"), ELECTION_WAIT},
	          {9999, SPEC("you", "t2"), ELECTION_WAIT},
	          {10001, SPEC("you", "t2"), ELECTION_WAIT},
	          {19999, SPEC("you", "t2"), ELECTION_TAKE}}},
	        {"renewed with a time that went back",
	         {{0, SPEC("you", "t2"), ELECTION_WAIT}, {10000, SPEC("you", "t1"), ELECTION_WAIT}}},
	        {"a third one took it",
	         {{0, SPEC("you", "t1"), ELECTION_WAIT}, {10000, SPEC("they", "t1"), ELECTION_WAIT}}},
	        {"its own duration counts, not ours",
	         {{0, "{\"spec\": {\"holderIdentity\": \"you\", \"leaseDurationSeconds\": 60}}", ELECTION_WAIT},
	          {20000, "{\"spec\": {\"holderIdentity\": \"you\", \"leaseDurationSeconds\": 60}}", ELECTION_WAIT},
	          {60000, "{\"spec\": {\"holderIdentity\": \"you\", \"leaseDurationSeconds\": 60}}", ELECTION_TAKE}}},
	        {"without a duration, ours counts",
	         {{0, "{\"spec\": {\"holderIdentity\": \"you\"}}", ELECTION_WAIT},
	          {15000, "{\"spec\": {\"holderIdentity\": \"you\"}}", ELECTION_TAKE}}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct election election = {.identity = "me", .duration_ms = 15000};

		for (size_t k = 0; k < 4 && (k == 0 || cases[i].looks[k].at_ms); k++) {
			const struct look *look = &cases[i].looks[k];
			json_t *lease = look->lease ? json_loads(look->lease, 0, NULL) : NULL;
			enum election_move move = election_look(&election, lease, 5000 + look->at_ms);

			if (move != look->wanted)
				fail_msg("%s: look %zu: %d, not %d", cases[i].name, k, (int)move, (int)look->wanted);
			json_decref(lease);
		}
		election_release(&election);
	}
}

struct record_case {
	const char *name, *before, *after;
};

static void record_test(void **state)
{
	static const struct record_case cases[] = {
	        {"created", NULL,
	         "{\"apiVersion\":\"coordination.k8s.io/"
	         "v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":\"n\",\"namespace\":\"ns\"},"
	         "\"spec\":{\"acquireTime\":\"2024-02-29T12:00:00.007000Z\",\"holderIdentity\":\"me\","
	         "\"leaseDurationSeconds\":15,"
	         "\"leaseTransitions\":0,\"renewTime\":\"2024-02-29T12:00:00.007000Z\"}}"},
	        {"taken: what others wrote stays",
	         "{\"metadata\":{\"labels\":{\"a\":\"b\"},\"resourceVersion\":\"7\",\"managedFields\":[]},\"spec\":{"
	         "\"holderIdentity\":"
	         "\"you\",\"leaseTransitions\":4,\"strategy\":\"x\"}}",
	         "{\"metadata\":{\"labels\":{\"a\":\"b\"},\"resourceVersion\":\"7\"},\"spec\":{\"acquireTime\":"
	         "\"2024-02-29T12:00:00.007000Z\",\"holderIdentity\":\"me\",\"leaseDurationSeconds\":15,"
	         "\"leaseTransitions\":5,"
	         "\"renewTime\":\"2024-02-29T12:00:00.007000Z\",\"strategy\":\"x\"}}"},
	        {"renewed", "{\"spec\":{\"acquireTime\":\"t\",\"holderIdentity\":\"me\",\"leaseTransitions\":4}}",
	         "{\"spec\":{\"acquireTime\":\"t\",\"holderIdentity\":\"me\",\"leaseDurationSeconds\":15,"
	         "\"leaseTransitions\":4,"
	         "\"renewTime\":\"2024-02-29T12:00:00.007000Z\"}}"},
	};
	const struct election election = {.identity = "me", .duration_ms = 15000};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *lease = cases[i].before ? json_loads(cases[i].before, 0, NULL) : NULL;
		json_t *record = election_record(&election, lease, "ns", "n", 1709208000007);
		char *text = json_dumps(record, JSON_COMPACT | JSON_SORT_KEYS);

		if (strcmp(text, cases[i].after) != 0)
			fail_msg("%s:\n%s\nnot\n%s", cases[i].name, text, cases[i].after);
		free(text);
		json_decref(record);
		json_decref(lease);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(look_test), cmocka_unit_test(record_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
