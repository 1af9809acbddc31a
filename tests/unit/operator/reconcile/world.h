/*
 * A cluster of one StreamJob, as JSON: carries out the steps of plans as the API server would, so that tests can look
 * at what plans lead to.
 */
#ifndef STREAMJOB_TEST_WORLD_H
#define STREAMJOB_TEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <stdlib.h>

#include "operator/reconcile/names.h"
#include "operator/reconcile/object.h"
#include "operator/reconcile/plan.h"

#define NOW_MS  1800000000000 /* 2027-01-15T08:00:00Z */
#define JOB_UID "11111111-0000-0000-0000-000000000001"

struct world {
	json_t *job;
	json_t *children[KIND_COUNT];
	json_t *reports, *code;
	json_t *seen; /* what was observed since the last turn, as the stores would have kept it */
	int64_t now_ms, deleting_ms, figures_age_ms;
	bool namespace_ends, may_update;
	const char *image; /* the operator's default; NULL: that of test_settings */
	char spec_seen[OBJECT_HASH_SIZE];
	int serial;
	struct settings settings; /* of the last look, which the plan points to */
};

extern const struct settings test_settings;

void world_init(struct world *world, const char *spec);
void world_release(struct world *world);
void world_look(struct world *world, struct observed *observed, struct plan *plan);
/* One look, at most `steps_max` of its steps, then the status as if it were written. Returns how many steps it took. */
size_t world_turn(struct world *world, size_t steps_max);
json_t *world_named(struct world *world, enum kind kind, const char *name);
void world_remove(struct world *world, enum kind kind, const char *name);
#define POD_RUNS                                                                                                       \
	"{\"phase\": \"Running\", \"podIP\": \"10.0.0.1\", \"containerStatuses\": [{\"name\": \"streamjob\", "         \
	"\"restartCount\": 0, \"state\": {\"running\": {\"startedAt\": \"2027-01-15T07:59:00Z\"}}}]}"
#define POD_IS_READY "{\"phase\": \"Running\", \"containerStatuses\": [{\"name\": \"streamjob\", \"ready\": true}]}"

/* A pod as the Deployment's template asks for it; `status` is JSON of its status. */
json_t *world_pod(struct world *world, const char *name, const char *status);
/* A ConfigMap that is not ours; `data` is JSON. */
void world_code(struct world *world, const char *name, const char *data);
void world_report(struct world *world, const char *pod, const char *document);
/* The condition as "STATUS REASON MESSAGE"; the caller frees it. */
char *world_condition(struct world *world, const char *type);

#endif
