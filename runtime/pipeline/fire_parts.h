/*
 * What the files of firing share: inside runtime/pipeline only.
 */
#ifndef STREAMJOB_FIRE_PARTS_H
#define STREAMJOB_FIRE_PARTS_H

#include "runtime/pipeline/fire.h"
#include "runtime/pipeline/user_slots.h"
#include "runtime/window/known_groups.h"

struct fire {
	const struct jobspec *job;
	struct query *query;
	struct status *status;
	const struct aggregate_call **calls;
	const struct aggregate **aggregates; /* of each call */
	size_t calls_count;
	enum type *key_types;
	struct schema_column *columns; /* of `schema`: keys, then every call's result */
	struct schema schema;
	size_t *first;              /* of each call: its column there; a table aggregate has none */
	struct user_slots *slots;   /* of each call */
	struct calls *functions;    /* NULL: the job has none */
	struct batch groups;        /* a chunk of groups in that schema */
	struct column *scratch;     /* the input of one output program: keys, then its own calls */
	struct known_groups *known; /* with onEmpty: zero */
	struct repeat forgotten;    /* of these */
	struct row_failures failures;
	uint32_t rows[BATCH_ROWS_MAX];
	struct batch emitted; /* what the table aggregate yielded for the chunk, and for which of its groups */
	uint32_t *parents;
	size_t capacity; /* of the result that is made */
};

/* A value of the result became NULL. */
void fire_result_error(struct fire *fire, const char *what, const char *why);
/* Appends rows of `from` to `to`, from its row `at` on; strings are copied into the arena. */
void fire_append(struct column *to, size_t at, const struct column *from, const uint32_t *rows, size_t n,
                 struct arena *arena);

/* -1: a function failed, and the job is interrupted. */
/* The accumulators of `from` go to those of the same groups of `into`, where these are there. */
int fire_merge(struct fire *fire, const struct partial *into, const struct partial *from);
/* The values of the user's aggregates for a chunk of groups, into fire->groups. */
int fire_values(struct fire *fire, const struct partial *partial, void **groups, size_t n);
/* What the table aggregate yields for a chunk of groups, until the next chunk. Parents are places in the
 * chunk. */
int fire_emit(struct fire *fire, const struct partial *partial, void **groups, size_t n, struct udf_rows *ret_rows);
/* Forgets the accumulators of a partial. */
int fire_forget(struct fire *fire, const struct partial *partial);

#endif
