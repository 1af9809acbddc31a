/*
 * What the files of firing share: inside runtime/pipeline only.
 */
#ifndef STREAMJOB_FIRE_PARTS_H
#define STREAMJOB_FIRE_PARTS_H

#include "runtime/pipeline/fire.h"
#include "runtime/window/known_groups.h"

struct fire {
	const struct jobspec *job;
	struct query *query;
	struct status *status;
	struct aggregations aggregations;
	enum type *key_types;
	struct schema_column *columns; /* of `schema`: keys, then every call's result */
	struct schema schema;
	size_t *first;              /* of each call: its column there; a table aggregate has none */
	struct calls *functions;    /* NULL: the job has none */
	struct batch groups;        /* a chunk of groups in that schema */
	struct column *scratch;     /* the input of one output program: keys, then its own calls */
	struct known_groups *known; /* with onEmpty: zero */
	struct repeat forgotten;    /* of these */
	struct row_failures failures;
	uint32_t rows[BATCH_ROWS_MAX];
	void *states[BATCH_ROWS_MAX]; /* of one call */
	size_t capacity;              /* of the result that is made */
};

/* The result's rows of the groups of a partial, in their order. 0, -1 or FIRE_INTERRUPTED. */
int fire_rows(struct fire *fire, const struct partial *partial, void **groups, size_t groups_count,
              struct window_result *result, struct error *err);

#endif
